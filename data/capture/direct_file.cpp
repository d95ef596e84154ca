#include "data/capture/direct_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::int64_t kPage = 4096;
// Long enough that the disk is as fast as it can be, short enough to notice that it is not.
constexpr std::int64_t kPiece = std::int64_t{4} << 20;
// Of less the page cache makes less work than the disk.
constexpr std::int64_t kLeastDirect = std::int64_t{256} << 10;

std::int64_t page_start(std::int64_t offset) { return offset / kPage * kPage; }

bool is_aligned(const void* data) { return reinterpret_cast<std::uintptr_t>(data) % kPage == 0; }

/// Descriptor for writing past the page cache; -1 where there is none.
int open_direct([[maybe_unused]] const std::string& name) {
#ifdef O_DIRECT
  return ::open(name.c_str(), O_WRONLY | O_CLOEXEC | O_DIRECT);
#else
  return -1;
#endif
}

}  // namespace

DirectFile::DirectFile(const std::string& name, std::function<bool()> hurried)
    : name_(name),
      hurried_(std::move(hurried)),
      cached_(::open(name.c_str(), O_WRONLY | O_CLOEXEC)),
      direct_(open_direct(name)) {
  if (cached_ < 0) fail(errno);
}

DirectFile::~DirectFile() {
  ::close(cached_);
  if (direct_ >= 0) ::close(direct_);
}

void DirectFile::write(std::int64_t offset, std::span<const std::byte> bytes) {
  const std::int64_t end = offset + std::ssize(bytes);
  const auto part = [&](std::int64_t from, std::int64_t to) {
    return bytes.subspan(static_cast<std::size_t>(from - offset),
                         static_cast<std::size_t>(to - from));
  };
  // The pages at both ends belong to what lies beside them, too.
  const std::int64_t first_page = page_start(offset + kPage - 1), end_page = page_start(end);
  if (end_page - first_page < kLeastDirect) return write_cached(offset, bytes);
  write_cached(offset, part(offset, first_page));
  std::int64_t at = first_page;
  while (at < end_page && direct_ >= 0 && !hurried_()) {
    const std::int64_t next = std::min(at + kPiece, end_page);
    if (!write_direct(at, part(at, next))) break;
    at = next;
  }
  write_cached(at, part(at, end));
}

bool DirectFile::write_direct(std::int64_t offset, std::span<const std::byte> bytes) {
  if (!is_aligned(bytes.data())) {
    if (aligned_.size() == 0) aligned_ = PageBuffer(kPiece / std::int64_t{sizeof(float)});
    std::memcpy(aligned_.data(), bytes.data(), bytes.size());
    bytes = std::as_bytes(std::span(aligned_.data(), bytes.size() / sizeof(float)));
  }
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(direct_, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EINVAL) fail(errno);
    if (n < 0 || n % kPage != 0) {
      // Not for this file system, whatever it said when it was opened.
      ::close(std::exchange(direct_, -1));
      return false;
    }
    direct_bytes_ += n;
    offset += n;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

void DirectFile::write_cached(std::int64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(cached_, bytes.data(), std::min<std::size_t>(bytes.size(), kPiece),
                               static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    offset += n;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void DirectFile::fail(int code) const {
  throw Error(ErrorKind::work, {.file = name_,
                                .what = cat("cannot be written: ", std::strerror(code)),
                                .cure = "make room on the disk, or write elsewhere"});
}

}  // namespace qaq
