#include "data/files/partial_file.h"

#include <filesystem>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

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
