"""Models and weights in files; h5py, zipfile and json are imported by the first save or load, not before."""
