#include "data/files/partial_file.h"

#include <filesystem>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

std::string PartialFile::name_for_writing(const std::string& path) {
  std::error_code not_there;
  const std::filesystem::file_status status = std::filesystem::status(path, not_there);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Error(ErrorKind::work,
                {.file = path, .what = "is no regular file", .cure = "write under another name"});
  }
  return name_of(path);
}

PartialFile::~PartialFile() {
  if (renamed_) return;
  std::error_code ignored;
  std::filesystem::remove(name_of(path_), ignored);
}

void PartialFile::rename() {
  std::error_code error;
  std::filesystem::rename(name_of(path_), path_, error);
  if (error) {
    throw Error(ErrorKind::work, {.file = path_,
                                  .what = cat("cannot be written: ", error.message()),
                                  .cure = "write under another name"});
  }
  renamed_ = true;
}

}  // namespace qaq
