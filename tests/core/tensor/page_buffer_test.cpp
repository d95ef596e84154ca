#include "core/tensor/page_buffer.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <utility>

#include "core/base/error.h"

namespace qaq {
namespace {

TEST(PageBuffer, IsZeroAndOfTheSizeAskedFor) {
  const PageBuffer buffer(3 << 20);
  EXPECT_EQ(buffer.size(), 3 << 20);
  EXPECT_EQ(std::count(buffer.data(), buffer.data() + buffer.size(), 0.0f), buffer.size());
}

TEST(PageBuffer, MovesTakeTheNumbersAlong) {
  PageBuffer first(8), second(5);
  first.data()[7] = 1.5f;
  const float* where = first.data();
  PageBuffer moved(std::move(first));
  EXPECT_EQ(moved.data(), where);
  second = std::move(moved);
  EXPECT_EQ(second.size(), 8);
  EXPECT_EQ(second.data()[7], 1.5f);
}

TEST(PageBuffer, NothingNeedsNoMemory) {
  EXPECT_EQ(PageBuffer().data(), nullptr);
  EXPECT_EQ(PageBuffer(0).data(), nullptr);
}

TEST(PageBuffer, TooMuchIsRefusedWithACure) {
  try {
    const PageBuffer buffer(std::int64_t{1} << 59);
    FAIL() << "took 2 EiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::work);
    EXPECT_FALSE(error.text().cure.empty());
  }
}

}  // namespace
}  // namespace qaq
