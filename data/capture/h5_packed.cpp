#include "data/capture/h5_packed.h"

#include <new>
#include <vector>
#include <zlib.h>

#include "core/base/parallel.h"

namespace qaq::h5 {
namespace {

constexpr int kDeflate = 1;

// HDF5's shuffle filter: the first bytes of all numbers, then the second ones, and so on.
std::vector<std::byte> shuffled(std::span<const std::byte> numbers, std::size_t bytes_each) {
  std::vector<std::byte> out(numbers.size());
  const std::size_t n = numbers.size() / bytes_each;
  for (std::size_t byte = 0; byte < bytes_each; ++byte) {
    for (std::size_t i = 0; i < n; ++i) out[byte * n + i] = numbers[i * bytes_each + byte];
  }
  return out;
}

std::vector<std::byte> deflated(std::span<const std::byte> bytes) {
  uLongf n_bytes = compressBound(bytes.size());
  std::vector<std::byte> out(n_bytes);
  // Fails for want of memory or room only; there is room for whatever it makes.
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &n_bytes,
                reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), kDeflate) != Z_OK) {
    throw std::bad_alloc();
  }
  out.resize(n_bytes);
  return out;
}

}  // namespace

void write_packed(const File& file, const std::string& path, hid_t type, const Extents& extents,
                  std::span<const std::byte> values) {
  Extents chunk = extents;
  chunk.front() = 1;
  const Dataset dataset =
      Dataset::create(file, path, type, extents, {.chunk = chunk, .deflate = kDeflate});
  const auto n_chunks = static_cast<std::size_t>(extents.front());
  const std::size_t bytes_each = H5Tget_size(type), chunk_bytes = values.size() / n_chunks;
  std::vector<std::vector<std::byte>> packed(n_chunks);
  parallel_for(std::ssize(packed), [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    packed[at] = deflated(shuffled(values.subspan(at * chunk_bytes, chunk_bytes), bytes_each));
  });
  Extents first(extents.size(), 0);
  for (const std::vector<std::byte>& bytes : packed) {
    dataset.write_chunk(first, bytes);
    ++first.front();
  }
}

}  // namespace qaq::h5
