// Bytes are where they belong, by whatever way they went.
#include "data/capture/direct_file.h"

#include <csignal>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

constexpr std::int64_t kMebi = 1 << 20;

bool never_hurried() { return false; }
bool always_hurried() { return true; }

/// Bytes none of which is like its neighbours a page or a piece away.
std::string numbered_bytes(std::int64_t n) {
  std::string bytes;
  for (std::uint32_t i = 0; std::ssize(bytes) < n; ++i) {
    bytes.append(reinterpret_cast<const char*>(&i), sizeof i);
  }
  bytes.resize(static_cast<std::size_t>(n));
  return bytes;
}

/// Bytes in memory that begin `shift` bytes behind a page.
class Shifted {
 public:
  Shifted(const std::string& bytes, std::int64_t shift)
      : buffer_((std::ssize(bytes) + shift) / 4 + 1),
        bytes_(reinterpret_cast<std::byte*>(buffer_.data()) + shift, bytes.size()) {
    std::memcpy(bytes_.data(), bytes.data(), bytes.size());
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  PageBuffer buffer_;
  std::span<std::byte> bytes_;
};

struct Place {
  const char* name;
  std::int64_t offset, length, memory_shift;
};

class DirectFilePlaces : public testing::TestWithParam<Place> {
 protected:
  DirectFilePlaces() { std::ofstream(path_) << std::string(10'000, 'a'); }

  std::string expected() const {
    const Place& place = GetParam();
    std::string out(10'000, 'a');
    out.resize(
        static_cast<std::size_t>(std::max<std::int64_t>(10'000, place.offset + place.length)));
    return out.replace(static_cast<std::size_t>(place.offset),
                       static_cast<std::size_t>(place.length), written_);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.file("a");
  const std::string written_ = numbered_bytes(GetParam().length);
  const Shifted memory_{written_, GetParam().memory_shift};
};

TEST_P(DirectFilePlaces, NothingButThePlaceIsWritten) {
  for (const auto& hurried : {never_hurried, always_hurried}) {
    DirectFile file(path_, hurried);
    file.write(GetParam().offset, memory_.bytes());
    EXPECT_TRUE(bytes_of_file(path_) == expected()) << hurried();
  }
}

TEST_P(DirectFilePlaces, ALaterWriteWins) {
  const std::string other(written_.size(), 'b');
  DirectFile direct(path_, never_hurried), cached(path_, always_hurried);
  for (DirectFile* last : {&direct, &cached}) {
    DirectFile& first = last == &direct ? cached : direct;
    first.write(GetParam().offset, std::as_bytes(std::span(other)));
    last->write(GetParam().offset, memory_.bytes());
    EXPECT_TRUE(bytes_of_file(path_) == expected());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Places, DirectFilePlaces,
    testing::Values(Place{"nothing", 0, 0, 0}, Place{"within_a_page", 100, 200, 0},
                    Place{"over_a_page", 4000, 200, 4}, Place{"pages", 8192, kMebi, 0},
                    Place{"pages_of_other_memory", 8192, kMebi, 4},
                    Place{"several_pieces", 4096, 9 * kMebi, 0},
                    Place{"both_ends_within_pages", 5000, 9 * kMebi + 4, 5000 % 4096},
                    Place{"ends_and_other_memory", 5000, 9 * kMebi + 4, 12}),
    [](const auto& test) { return test.param.name; });

class DirectFileTest : public testing::Test {
 protected:
  DirectFileTest() { std::ofstream{path_}; }
  TemporaryFolder folder_;
  const std::string path_ = folder_.file("a");
  const std::string long_ = numbered_bytes(9 * kMebi);
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(long_)); }
};

TEST_F(DirectFileTest, HurriedWritingGoesThroughThePageCache) {
  DirectFile file(path_, always_hurried);
  file.write(0, bytes());
  EXPECT_EQ(file.direct_bytes(), 0);
}

TEST_F(DirectFileTest, WholePagesGoPastThePageCache) {
  DirectFile file(path_, never_hurried);
  file.write(5000, bytes());
  if (file.direct_bytes() == 0) GTEST_SKIP() << "this file system has no direct writing";
  EXPECT_EQ(file.direct_bytes(), 9 * kMebi - 4096) << "all but the two pages at the ends";
}

TEST_F(DirectFileTest, HurryIsNoticedAmidstAStretch) {
  int asked = 0;
  DirectFile file(path_, [&] { return ++asked > 1; });
  file.write(0, bytes());
  EXPECT_LT(file.direct_bytes(), 9 * kMebi);
  EXPECT_TRUE(bytes_of_file(path_) == long_);
}

TEST_F(DirectFileTest, AFileThatIsNotThereIsNamed) {
  try {
    const DirectFile file(folder_.file("b"), never_hurried);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.text().file, folder_.file("b"));
    EXPECT_NE(error.text().what.find("No such file or directory"), std::string::npos);
  }
}

TEST_F(DirectFileTest, AFullDiskIsNamedWhicheverWayBytesGo) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t limit : {rlim_t{1000}, rlim_t{5 * kMebi}, rlim_t{9 * kMebi - 100}}) {
    for (const auto& hurried : {never_hurried, always_hurried}) {
      const rlimit full{limit, before.rlim_max};
      setrlimit(RLIMIT_FSIZE, &full);
      DirectFile file(path_, hurried);
      EXPECT_THROW(file.write(0, bytes()), Error) << limit;
      setrlimit(RLIMIT_FSIZE, &before);
    }
  }
  std::signal(SIGXFSZ, handler);
}

}  // namespace
}  // namespace qaq::test
