#include "data/files/whole_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/files/partial_file.h"

namespace qaq {

std::string read_whole(const std::string& path, const std::string& what, const std::string& cure) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) refuse_input({.file = path, .place = "", .what = what, .cure = cure});
  return std::move(text).str();
}

void write_whole(const std::string& path, const std::string& text) {
  write_whole(path, [&](std::ostream& out) { out << text; });
}

void write_whole(const std::string& path, const std::function<void(std::ostream&)>& write) {
  std::ofstream file(PartialFile::name_for_writing(path), std::ios::binary | std::ios::trunc);
  if (file) {
    PartialFile partial(path);
    write(file);
    file.close();
    if (file) return partial.rename();
  }
  throw Error(ErrorKind::work, {.file = path,
                                .what = cat("cannot be written: ", std::strerror(errno)),
                                .cure = "name a file in a folder with room"});
}

}  // namespace qaq
