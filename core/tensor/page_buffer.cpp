#include "core/tensor/page_buffer.h"

#include <sys/mman.h>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

std::size_t bytes_of(std::int64_t n_floats) {
  return static_cast<std::size_t>(n_floats) * sizeof(float);
}

}  // namespace

PageBuffer::PageBuffer(std::int64_t n_floats) : n_floats_(n_floats) {
  if (n_floats == 0) return;
  void* address = ::mmap(nullptr, bytes_of(n_floats), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) {
    throw Error(ErrorKind::work, {.place = "memory",
                                  .what = cat(byte_text(4 * n_floats), " cannot be had"),
                                  .cure = "use fewer tokens or a smaller model"});
  }
  // A wish, not a need: without large pages everything works, more slowly.
  ::madvise(address, bytes_of(n_floats), MADV_HUGEPAGE);
  data_ = static_cast<float*>(address);
}

PageBuffer::~PageBuffer() {
  if (data_) ::munmap(data_, bytes_of(n_floats_));
}

PageBuffer::PageBuffer(PageBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), n_floats_(std::exchange(other.n_floats_, 0)) {}

PageBuffer& PageBuffer::operator=(PageBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(n_floats_, other.n_floats_);
  return *this;
}

}  // namespace qaq
