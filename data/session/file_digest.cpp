#include "data/session/file_digest.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace qaq {
namespace {

constexpr std::int64_t kPiece = 64 * 1024;
constexpr std::int64_t kBetween = 16;  // pieces between the first and the last
constexpr std::int64_t kWhole = (kBetween + 2) * kPiece;

std::vector<std::int64_t> offsets_of(std::int64_t n_bytes) {
  std::vector<std::int64_t> offsets{0};
  // (n_bytes - kWhole) * i / 15 without overflow for any size of file.
  const std::int64_t spare = n_bytes - kWhole, steps = kBetween - 1;
  for (std::int64_t i = 0; i < kBetween; ++i) {
    const std::int64_t moved = spare / steps * i + spare % steps * i / steps;
    offsets.push_back(kPiece + moved + i * kPiece);
  }
  offsets.push_back(n_bytes - kPiece);
  return offsets;
}

}  // namespace

FileDigest file_digest(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  FileDigest out{.n_bytes = file ? static_cast<std::int64_t>(file.tellg()) : -1, .sha256 = {}};
  Sha256 hash;
  std::vector<char> piece(static_cast<std::size_t>(kPiece));
  const auto add = [&](std::int64_t offset, std::int64_t n) {
    file.seekg(offset);
    file.read(piece.data(), n);
    hash.update(std::string_view(piece.data(), static_cast<std::size_t>(n)));
  };
  if (out.n_bytes > kWhole) {
    for (const std::int64_t offset : offsets_of(out.n_bytes)) add(offset, kPiece);
  } else {
    for (std::int64_t at = 0; at < out.n_bytes; at += kPiece) {
      add(at, std::min(kPiece, out.n_bytes - at));
    }
  }
  if (!file || out.n_bytes < 0) {
    refuse_input({.file = path, .what = "cannot be read", .cure = "name a readable file"});
  }
  out.sha256 = hash.finish();
  return out;
}

}  // namespace qaq
