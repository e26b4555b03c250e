"""The public namespace `tf.strings`."""

from tensorsmith.structures.hashing import to_hash_bucket, to_hash_bucket_fast, to_hash_bucket_strong
from tensorsmith.structures.joining import join, ngrams, reduce_join, unsorted_segment_join
from tensorsmith.structures.string_numbers import as_string, format, to_number
from tensorsmith.structures.strings import (
    bytes_split,
    length,
    lower,
    regex_full_match,
    regex_replace,
    split,
    strip,
    substr,
    upper,
)
from tensorsmith.structures.unicode import (
    unicode_decode,
    unicode_decode_with_offsets,
    unicode_encode,
    unicode_script,
    unicode_split,
    unicode_split_with_offsets,
    unicode_transcode,
)

__all__ = [
    "as_string",
    "bytes_split",
    "format",
    "join",
    "length",
    "lower",
    "ngrams",
    "reduce_join",
    "regex_full_match",
    "regex_replace",
    "split",
    "strip",
    "substr",
    "to_hash_bucket",
    "to_hash_bucket_fast",
    "to_hash_bucket_strong",
    "to_number",
    "unicode_decode",
    "unicode_decode_with_offsets",
    "unicode_encode",
    "unicode_script",
    "unicode_split",
    "unicode_split_with_offsets",
    "unicode_transcode",
    "unsorted_segment_join",
    "upper",
]
