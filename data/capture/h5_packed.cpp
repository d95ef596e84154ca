#include "data/capture/h5_packed.h"

#include <new>
#include <utility>
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

PackedArray::PackedArray(std::string path, hid_t (*type)(), std::size_t bytes_each,
                         const Extents& extents, std::span<const std::byte> values)
    : path_(std::move(path)), type_(type), extents_(extents), chunks_(extents.front()) {
  const std::size_t n = chunks_.empty() ? 0 : values.size() / chunks_.size();
  parallel_for(std::ssize(chunks_), [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    chunks_[at] = deflated(shuffled(values.subspan(at * n, n), bytes_each));
  });
}

void PackedArray::write(const File& file) const {
  Extents first(extents_.size(), 0), chunk = extents_;
  chunk.front() = 1;
  const Dataset dataset =
      Dataset::create(file, path_, type_(), extents_, {.chunk = chunk, .deflate = kDeflate});
  for (const std::vector<std::byte>& bytes : chunks_) {
    dataset.write_chunk(first, bytes);
    ++first.front();
  }
}

}  // namespace qaq::h5
