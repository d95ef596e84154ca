#include "core/replay/memory_capture.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>

#include "core/base/error.h"
#include "tests/support/refusal.h"
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

// Where the capture was refused; "" where it was taken.
std::string refused_place(const std::function<void(MemoryCapture::Arrays&)>& change) {
  MemoryCapture::Arrays arrays = synthetic_arrays({}, 1);
  change(arrays);
  CaptureInfo info = synthetic_info({});
  info.layers = {3, 9};
  try {
    const MemoryCapture capture(std::move(info), std::move(arrays));
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.text().file, "synthetic.h5");
    return error.text().place;
  }
}

TEST(MemoryCapture, NotANumberIsRefusedWithItsPlace) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(refused_place([](auto&) {}), "");
  EXPECT_EQ(refused_place([](auto& a) { a.value[1](1, 20, 7) = std::nanf(""); }),
            "value, layer 9, KV head 1, token 20, channel 7");
  EXPECT_EQ(refused_place([](auto& a) { a.key[0](0, 0, 0) = -kInfinity; }),
            "key, layer 3, KV head 0, token 0, channel 0");
  EXPECT_EQ(refused_place([](auto& a) { a.query[1](3, 23, 1) = kInfinity; }),
            "query, layer 9, head 3, token 23, channel 1");
  EXPECT_EQ(refused_place([](auto& a) { a.attention[0](2, 22, 4) = std::nanf(""); }),
            "attention, layer 3, head 2, captured row 22, token 4");
}

TEST(MemoryCapture, HoldsNumbersAsItsTypeDoes) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    CaptureInfo info = synthetic_info({});
    info.dtype = dtype;
    const MemoryCapture::Arrays arrays = synthetic_arrays({}, 1);
    const MemoryCapture capture(info, synthetic_arrays({}, 1));
    std::int64_t n_changed = 0;
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      const auto i = static_cast<std::size_t>(layer);
      for (const auto& [held, given] : {std::pair{capture.key(layer), &arrays.key[i]},
                                        {capture.value(layer), &arrays.value[i]},
                                        {capture.query(layer), &arrays.query[i]}}) {
        for (std::size_t at = 0; at < held->span().size(); ++at) {
          ASSERT_EQ(held->span()[at], rounded(given->span()[at], dtype));
          n_changed += held->span()[at] != given->span()[at];
        }
      }
      // Files hold scores in float32.
      EXPECT_TRUE(
          std::ranges::equal(capture.attention(layer, 0, 24)->span(), arrays.attention[i].span()));
    }
    EXPECT_EQ(n_changed > 0, dtype != DType::f32);
  }
  CaptureInfo info = synthetic_info({});
  info.dtype = DType::f16;
  MemoryCapture::Arrays arrays = synthetic_arrays({}, 1);
  arrays.value[1](0, 3, 2) = -65520;
  EXPECT_EQ(refusal([&] { MemoryCapture(info, std::move(arrays)); }),
            "synthetic.h5: value, layer 1, KV head 0, token 3, channel 2: -65520 is more than f16 "
            "holds; take another --dtype");
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
