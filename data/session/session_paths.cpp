#include "data/session/session_paths.h"

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const std::string& session_path) {
  std::error_code ignored;
  return fs::weakly_canonical(fs::absolute(session_path), ignored).parent_path();
}

// Where to look, in order: "../runs/a.h5" is looked for there, as "a.h5" and as "runs/a.h5".
std::vector<fs::path> places(const std::string& written, const fs::path& folder) {
  const fs::path path(written);
  std::vector<fs::path> out{(folder / path).lexically_normal()};
  fs::path end;
  std::vector<fs::path> parts(path.begin(), path.end());
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (*part == ".." || *part == "." || part->is_absolute()) break;
    end = end.empty() ? *part : *part / end;
    const fs::path place = (folder / end).lexically_normal();
    if (std::ranges::find(out, place) == out.end()) out.push_back(place);
  }
  return out;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool has_digest(const SessionCapture& capture, const fs::path& path) {
  if (!capture.digest) return true;
  try {
    return file_digest(path.string()) == *capture.digest;
  } catch (const Error&) {
    return false;  // cannot be read: whoever opens it says why
  }
}

}  // namespace

std::string session_path_of(const std::string& capture, const std::string& session_path) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(fs::absolute(capture), ignored);
  return whole.lexically_relative(folder_of(session_path)).generic_string();
}

FoundCapture find_capture(const SessionCapture& capture, const std::string& session_path) {
  const std::vector<fs::path> all = places(capture.path, folder_of(session_path));
  FoundCapture other{.path = all.front().string()};
  for (const fs::path& place : all) {
    if (!is_file(place)) continue;
    if (has_digest(capture, place)) return {FoundCapture::State::found, place.string()};
    if (other.state == FoundCapture::State::missing) {
      other = {FoundCapture::State::changed, place.string()};
    }
  }
  return other;
}

const SessionCapture* open_capture_of(const SessionFile& session) {
  const auto open = std::ranges::find(session.captures, session.open, &SessionCapture::path);
  if (open != session.captures.end()) return &*open;
  return session.captures.empty() ? nullptr : &session.captures.front();
}

}  // namespace qaq
