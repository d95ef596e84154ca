#include "data/capture/h5_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "core/base/text.h"
#include "data/capture/h5_error.h"

namespace qaq::h5 {
namespace {

constexpr const char* kAgain = "copy the file again, or capture again";
constexpr int kMostSoftLinks = 8;
constexpr hsize_t kLarge = hsize_t{1} << 20, kPage = 4096;

Handle access_properties(Access access) {
  Handle properties{H5Pcreate(H5P_FILE_ACCESS), H5Pclose};
  H5Pset_file_locking(properties.id(), access != Access::read, true);
  // Rows of one token lie far apart, one a head: a buffer would read and write 64 KiB for each.
  H5Pset_sieve_buf_size(properties.id(), 0);
  // What is large begins with a page, which can go straight to the disk.
  if (access == Access::create) H5Pset_alignment(properties.id(), kLarge, kPage);
  return properties;
}

}  // namespace

File::File(const std::string& name, Access access) : name_(name), access_(access) {
  const Handle properties = access_properties(access);
  if (access == Access::create) {
    file_ = {H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, properties.id()), H5Fclose};
    if (!file_) {
      throw Error(ErrorKind::work, {.file = name,
                                    .what = cat("cannot be created: ", failure_reason()),
                                    .cure = "name a folder that exists and can be written to"});
    }
    return;
  }
  // The library blames a missing signature for most faults; the system knows better about these.
  std::ifstream probe(name, std::ios::binary);
  if (!probe || (probe.peek(), probe.bad())) {
    refuse({}, cat("cannot be read: ", std::strerror(errno)), "name a capture file");
  }
  if (probe.eof()) refuse({}, "is empty, not an HDF5 file", kAgain);
  const unsigned flags = access == Access::read ? H5F_ACC_RDONLY : H5F_ACC_RDWR;
  file_ = {H5Fopen(name.c_str(), flags, properties.id()), H5Fclose};
  if (!file_) fail_to_open();
}

void File::fail_to_open() const {
  const std::string reason = failure_reason();
  const auto says = [&](const char* words) { return reason.find(words) != std::string::npos; };
  if (says("signature not found")) refuse({}, "is not an HDF5 file", "name a capture file");
  if (says("truncated file")) refuse({}, "is truncated: its end is missing", kAgain);
  if (says("already open for write")) {
    refuse({}, "was not closed by its writer, which was interrupted or is still at work",
           "wait for the writer, or capture again");
  }
  if (says("temporarily unavailable")) {
    refuse({}, "is being written by another program", "wait until it is done");
  }
  refuse({}, cat("cannot be opened: ", reason), kAgain);
}

std::string File::resolved(const std::string& path, int n_links) const {
  if (path == "/") return path;
  std::size_t end = 0;
  while (end != std::string::npos) {
    end = path.find('/', end + 1);
    const std::string step = path.substr(0, end);
    if (H5Lexists(id(), step.c_str(), H5P_DEFAULT) <= 0) return {};
    H5L_info_t link;
    require(H5Lget_info(id(), step.c_str(), &link, H5P_DEFAULT) >= 0, step, "cannot be read");
    if (link.type == H5L_TYPE_HARD) continue;
    if (link.type != H5L_TYPE_SOFT) {
      refuse(step, "is an external link: a capture holds all its data itself",
             "copy what it links to into the file");
    }
    if (n_links == kMostSoftLinks) refuse(step, "is a soft link that leads nowhere", kAgain);
    std::vector<char> value(link.u.val_size + 1, '\0');
    require(H5Lget_val(id(), step.c_str(), value.data(), link.u.val_size, H5P_DEFAULT) >= 0, step,
            "cannot be read");
    std::string target = value.data();
    if (target.empty() || target.front() != '/') {
      target = step.substr(0, step.rfind('/') + 1) + target;
    }
    const std::string rest = end == std::string::npos ? "" : path.substr(end);
    return resolved(target + rest, n_links + 1);
  }
  return path;
}

Handle File::open(const std::string& path) const {
  const std::string place = resolved(path, 0);
  if (place.empty()) refuse(path, "is missing", "capture again with this program");
  Handle object{H5Oopen(id(), place.c_str(), H5P_DEFAULT), H5Oclose};
  require(static_cast<bool>(object), path, "cannot be opened");
  return object;
}

Handle File::create_group(const std::string& path) const {
  Handle group{H5Gcreate2(id(), path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose};
  require(static_cast<bool>(group), path, "cannot be created");
  return group;
}

std::vector<std::string> File::members(const std::string& group) const {
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* to) -> herr_t {
    static_cast<std::vector<std::string>*>(to)->emplace_back(name);
    return 0;
  };
  const Handle opened = open(group);
  require(H5Literate(opened.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &names) >= 0, group,
          "cannot be listed");
  return names;
}

void File::remove(const std::string& path) const {
  require(H5Ldelete(id(), path.c_str(), H5P_DEFAULT) >= 0, path, "cannot be removed");
}

void File::move(const std::string& from, const std::string& to) const {
  require(H5Lmove(id(), from.c_str(), id(), to.c_str(), H5P_DEFAULT, H5P_DEFAULT) >= 0, to,
          "cannot be written");
}

void File::flush() const { require(H5Fflush(id(), H5F_SCOPE_LOCAL) >= 0, {}, "cannot be written"); }

void File::close() { require(file_.close(), {}, "cannot be written"); }

void File::refuse(const std::string& place, const std::string& what,
                  const std::string& cure) const {
  refuse_input({.file = name_, .place = place, .what = what, .cure = cure.empty() ? kAgain : cure});
}

void File::fail(const std::string& place, const std::string& doing) const {
  const std::string reason = failure_reason();
  const bool reading = access_ == Access::read;
  throw Error(reading ? ErrorKind::input : ErrorKind::work,
              {.file = name_,
               .place = place,
               .what = reason.empty() ? doing : cat(doing, ": ", reason),
               .cure = reading ? cat("the file is damaged: ", kAgain)
                               : "make room on the disk, or write elsewhere"});
}

}  // namespace qaq::h5
