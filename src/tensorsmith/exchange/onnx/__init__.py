"""Programs as ONNX: nodes by their own rules where there is one, else by the JAX primitives of their kernels."""
