#pragma once

#include <cstdint>
#include <string>

namespace qaq {

/// What tells one file from another without reading all of a large one.
struct FileDigest {
  std::int64_t n_bytes = 0;
  std::string sha256;  ///< of a sample, see below; 64 hexadecimal digits

  bool operator==(const FileDigest&) const = default;
};

/// SHA-256 of 18 pieces of 64 KiB in the file's order, or of the whole file where it is not longer
/// than that (1,179,648 bytes): its beginning (where HDF5 and other formats keep their header), 16
/// pieces of which piece i (0 to 15) begins at byte
///
///     64 KiB + floor((n_bytes - 18 * 64 KiB) * i / 15) + i * 64 KiB,
///
/// and its end. Throws Error{input} where the file cannot be read.
FileDigest file_digest(const std::string& path);

}  // namespace qaq
