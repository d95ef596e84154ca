#include "data/session/session_paths.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;
using State = FoundCapture::State;
using test::TemporaryFolder;

void write(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string real(const TemporaryFolder& folder, const std::string& name) {
  return (fs::canonical(folder.path()) / name).string();
}

SessionCapture capture_at(const std::string& path, const std::string& session) {
  return {.path = session_path_of(path, session), .digest = file_digest(path)};
}

TEST(SessionPaths, AreRelativeToTheSession) {
  const TemporaryFolder folder;
  write(folder.file("data/a.h5"), "a");
  EXPECT_EQ(session_path_of(folder.file("data/a.h5"), folder.file("s.qaqsession")), "data/a.h5");
  EXPECT_EQ(session_path_of(folder.file("data/a.h5"), folder.file("x/y/s.qaqsession")),
            "../../data/a.h5");
}

TEST(SessionPaths, FindTheCaptureAfterTheFolderWasMoved) {
  const TemporaryFolder folder;
  write(folder.file("old/data/a.h5"), "a");
  const auto capture = capture_at(folder.file("old/data/a.h5"), folder.file("old/s.qaqsession"));
  fs::rename(folder.file("old"), folder.file("new"));
  const auto found = find_capture(capture, folder.file("new/s.qaqsession"));
  EXPECT_EQ(found.state, State::found);
  EXPECT_EQ(found.path, real(folder, "new/data/a.h5"));
}

TEST(SessionPaths, FindItBesideTheSessionAndBelowItsFolder) {
  const TemporaryFolder folder;
  write(folder.file("runs/today/a.h5"), "a");
  const auto capture =
      capture_at(folder.file("runs/today/a.h5"), folder.file("sessions/s.qaqsession"));
  EXPECT_EQ(capture.path, "../runs/today/a.h5");
  for (const std::string place : {"m/a.h5", "n/today/a.h5", "o/runs/today/a.h5"}) {
    fs::remove_all(folder.file("runs"));
    write(folder.file(place), "a");
    const auto session = folder.file(place.substr(0, 1) + "/s.qaqsession");
    const auto found = find_capture(capture, session);
    EXPECT_EQ(found.state, State::found) << place;
    EXPECT_EQ(found.path, real(folder, place));
  }
}

TEST(SessionPaths, SayWhatIsMissingAndWhatIsAnotherFile) {
  const TemporaryFolder folder;
  const std::string session = folder.file("s.qaqsession");
  write(folder.file("data/a.h5"), "a");
  const auto capture = capture_at(folder.file("data/a.h5"), session);
  write(folder.file("data/a.h5"), "b");
  const auto changed = find_capture(capture, session);
  EXPECT_EQ(changed.state, State::changed);
  EXPECT_EQ(changed.path, real(folder, "data/a.h5"));
  write(folder.file("a.h5"), "a");
  const auto right = find_capture(capture, session);
  EXPECT_EQ(right.state, State::found) << "the same file elsewhere goes before another one there";
  EXPECT_EQ(right.path, real(folder, "a.h5"));
  fs::remove(folder.file("a.h5"));
  fs::remove(folder.file("data/a.h5"));
  const auto missing = find_capture(capture, session);
  EXPECT_EQ(missing.state, State::missing);
  EXPECT_EQ(missing.path, real(folder, "data/a.h5"));
  fs::create_directory(folder.file("data/a.h5"));
  EXPECT_EQ(find_capture(capture, session).state, State::missing) << "a folder is no capture";
}

TEST(SessionPaths, WithoutADigestAnyFileOfThatNameIsTheCapture) {
  const TemporaryFolder folder;
  write(folder.file("a.h5"), "anything");
  EXPECT_EQ(find_capture({.path = "a.h5", .digest = {}}, folder.file("s.qaqsession")).state,
            State::found);
}

TEST(SessionPaths, TheOpenCaptureIsTheNamedOneElseTheFirst) {
  SessionFile session;
  EXPECT_EQ(open_capture_of(session), nullptr);
  session.captures = {{.path = "a", .digest = {}}, {.path = "b", .digest = {}}};
  EXPECT_EQ(open_capture_of(session)->path, "a");
  session.open = "b";
  EXPECT_EQ(open_capture_of(session)->path, "b");
  session.open = "c";
  EXPECT_EQ(open_capture_of(session)->path, "a");
}

TEST(FileDigest, OfASmallFileIsItsHash) {
  const TemporaryFolder folder;
  for (const std::size_t n : {0u, 1u, 65536u, 1179648u}) {
    const std::string text(n, 'q');
    write(folder.file("f"), text);
    const FileDigest digest = file_digest(folder.file("f"));
    EXPECT_EQ(digest.n_bytes, static_cast<std::int64_t>(n));
    EXPECT_EQ(digest.sha256, sha256_hex(std::string_view(text))) << n;
  }
  EXPECT_THROW(file_digest(folder.file("none")), Error);
}

TEST(FileDigest, OfALargeFileIsOfEighteenPieces) {
  const TemporaryFolder folder;
  constexpr std::size_t kPiece = 65536;
  // One byte more than 18 pieces in every gap: pieces between begin at 64 KiB + (64 KiB + 1) i.
  std::string text(18 * kPiece + 15, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  std::string sample = text.substr(0, kPiece);
  for (std::size_t i = 0; i < 16; ++i) sample += text.substr(kPiece + i * (kPiece + 1), kPiece);
  sample += text.substr(text.size() - kPiece);
  write(folder.file("f"), text);
  const FileDigest digest = file_digest(folder.file("f"));
  EXPECT_EQ(digest.sha256, sha256_hex(std::string_view(sample)));
  const auto changed = [&](std::size_t at) {
    std::string other = text;
    other[at] = static_cast<char>(other[at] + 1);
    write(folder.file("f"), other);
    return file_digest(folder.file("f")) != digest;
  };
  EXPECT_TRUE(changed(0));
  EXPECT_TRUE(changed(text.size() - 1));
  EXPECT_TRUE(changed(9 * kPiece));
  EXPECT_FALSE(changed(2 * kPiece)) << "a byte between two pieces is not read";
}

}  // namespace
}  // namespace qaq
