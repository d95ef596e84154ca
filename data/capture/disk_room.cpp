#include "data/capture/disk_room.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

void shrink(const std::string& path, std::int64_t size) {
  std::error_code ignored;  // bytes behind the end that HDF5 knows harm no reader
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(size), ignored);
}

}  // namespace

DiskRoom::DiskRoom(std::string path, std::int64_t bytes) : path_(std::move(path)) {
  const int file = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  int error = file < 0 ? errno : 0;
  if (file >= 0) {
    size_before_ = lseek(file, 0, SEEK_END);
    error = posix_fallocate(file, size_before_, bytes);
    close(file);
    if (error != 0) shrink(path_, size_before_);
  }
  if (error == 0) return;
  throw Error(ErrorKind::work,
              {.file = path_,
               .what = cat("cannot grow by ", byte_text(bytes), ": ", std::strerror(error)),
               .cure = "make room on the disk, and see that the file can be written to"});
}

DiskRoom::~DiskRoom() {
  if (!handed_over_) shrink(path_, size_before_);
}

}  // namespace qaq
