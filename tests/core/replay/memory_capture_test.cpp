#include "core/replay/memory_capture.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

TEST(MemoryCapture, GivesTheRowsThatAreAskedFor) {
  const MemoryCapture capture = synthetic_capture();
  const auto all = capture.attention(1, 0, 24), some = capture.attention(1, 5, 3);
  ASSERT_EQ(some->shape(), (Shape<3>{4, 3, 24}));
  for (std::int64_t head = 0; head < 4; ++head) {
    for (std::int64_t row = 0; row < 3; ++row) {
      const auto expected = all->sub(head, row + 5).span();
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), some->sub(head, row).data()));
    }
  }
}

TEST(MemoryCapture, RefusesWhatDoesNotFit) {
  const SyntheticShape shape;
  const auto refused = [&](const auto& change) {
    MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
    change(arrays);
    EXPECT_THROW(MemoryCapture(synthetic_info(shape), std::move(arrays)), Error);
  };
  refused([](auto& a) { a.key.pop_back(); });
  refused([](auto& a) { a.query.clear(); });
  refused([](auto& a) { a.value[1] = NdArray<float, 3>({2, 23, 8}); });
  refused([](auto& a) { a.attention[0] = NdArray<float, 3>({4, 24, 25}); });
}

TEST(MemoryCapture, WithoutScoresSaysHowToGetThem) {
  const SyntheticShape shape;
  CaptureInfo info = synthetic_info(shape);
  info.profile = AttentionProfile::none;
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  arrays.attention.clear();
  const MemoryCapture capture(std::move(info), std::move(arrays));
  try {
    capture.attention(0, 0, 1);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(error.text().cure.find("--attention derive"), std::string::npos);
  }
}

}  // namespace
}  // namespace qaq::test
