#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "data/packed/packed_header.h"

namespace qaq {

/// A .qkv file (README.md has its layout): packed keys and values, and what they came from.
struct PackedFile {
  PackedCaches caches;
  nlohmann::ordered_json about;  ///< an object: capture, policy, parameters, provenance
};

/// True where the file begins as a .qkv file does.
bool is_packed_file(const std::string& path);

/// Writes the file, `path`.partial until it is whole; replaces what is there. Both caches have the
/// same shape and dtype. Returns its bytes: the header's and the components'. Throws Error{work}
/// where it cannot be written.
std::int64_t write_packed_file(const std::string& path, const PackedFile& file);

/// Reads and checks the whole file: sizes, hash, and what the components hold. Throws Error{input}
/// with place and cure.
PackedFile read_packed_file(const std::string& path);

/// What `qaq info` says of the file: shape, dtype, and of each cache how it is quantized, its
/// components with their bytes, mean bits, outliers and bytes; the header's bytes; `bytes`, their
/// sum, which is the file's size; what it came from. Checks the file as read_packed_file() does.
nlohmann::ordered_json packed_summary(const std::string& path);

}  // namespace qaq
