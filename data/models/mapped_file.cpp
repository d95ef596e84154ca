#include "data/models/mapped_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "core/base/error.h"

namespace qaq {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

[[noreturn]] void refuse_path(const std::string& path, const std::string& what,
                              const std::string& cure) {
  refuse_input({.file = path, .what = what, .cure = cure});
}

std::string system_text() { return std::generic_category().message(errno); }

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  // O_NONBLOCK: a named pipe is refused below instead of waited for.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) {
    refuse_path(path, "cannot be opened: " + system_text(), "check the path and its permissions");
  }
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) refuse_path(path, system_text(), "check the file system");
  if (S_ISDIR(status.st_mode)) refuse_path(path, "is a folder", "give a model file");
  if (!S_ISREG(status.st_mode)) refuse_path(path, "is no regular file", "give a model file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return;  // an empty map is not allowed, an empty span is
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) {
    refuse_path(path, "cannot be mapped into memory: " + system_text(), "free some address space");
  }
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace qaq
