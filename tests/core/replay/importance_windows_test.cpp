// Importance for windows of every length: equal to the maximum over the rows themselves, and read
// once where a window is turned.
#include "core/replay/importance_windows.h"

#include <gtest/gtest.h>

#include "core/policy/importance.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

/// Counts the attention rows that are read of another capture.
class CountedCapture : public CaptureView {
 public:
  explicit CountedCapture(const CaptureView& of) : of_(of) {}
  const CaptureInfo& info() const override { return of_.info(); }
  SharedArray<float, 3> key(std::int64_t layer) const override { return of_.key(layer); }
  SharedArray<float, 3> value(std::int64_t layer) const override { return of_.value(layer); }
  SharedArray<float, 3> query(std::int64_t layer) const override { return of_.query(layer); }
  SharedArray<float, 3> attention(std::int64_t layer, std::int64_t first,
                                  std::int64_t n_rows) const override {
    n_read_ += n_rows;
    return of_.attention(layer, first, n_rows);
  }
  std::int64_t n_read() const { return n_read_; }

 private:
  const CaptureView& of_;
  mutable std::int64_t n_read_ = 0;
};

constexpr std::int64_t kPrefix = 90;

void expect_maxima(const CaptureView& capture, const NdArray<float, 3>& got, std::int64_t last_row,
                   std::int64_t n_rows, GqaReduce reduce) {
  NdArray<float, 2> expected({2, got.shape(2)});
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    window_importance(capture.attention(layer, last_row - n_rows, n_rows)->view(), reduce,
                      expected.view());
    EXPECT_TRUE(std::ranges::equal(got.sub(layer).span(), expected.span()))
        << n_rows << " rows, layer " << layer;
  }
}

TEST(ImportanceWindows, AreTheMaximumOfTheirRowsWhateverTheirLength) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 100});
  for (const GqaReduce reduce : {GqaReduce::max, GqaReduce::mean, GqaReduce::sum}) {
    // Without room for all lengths, with room for some and with room for all.
    for (const std::int64_t budget : {0, 20 * 2 * 2 * 90 * 4, 1 << 20}) {
      ImportanceWindows windows(capture, budget);
      for (const std::int64_t n : {5, 1, 64, 21, 20, 2, 90, 65, 5}) {
        expect_maxima(capture, *windows.importance(kPrefix, kPrefix, n, reduce, {}), kPrefix, n,
                      reduce);
      }
    }
  }
}

TEST(ImportanceWindows, OneThatIsTurnedIsReadOnce) {
  const MemoryCapture whole = synthetic_capture({.n_tokens = 100});
  const CountedCapture capture(whole);
  ImportanceWindows windows(capture);
  const auto read_by = [&](std::int64_t n) {
    const std::int64_t before = capture.n_read();
    windows.importance(kPrefix, kPrefix, n, GqaReduce::max, {});
    return capture.n_read() - before;
  };
  EXPECT_EQ(read_by(5), 2 * 5) << "a single replay reads what it needs of both layers";
  EXPECT_EQ(read_by(5), 0);
  EXPECT_EQ(read_by(6), 2 * 64);
  for (std::int64_t n = 1; n <= 64; ++n) EXPECT_EQ(read_by(n), 0) << n;
  EXPECT_EQ(read_by(70), 2 * 70);
  EXPECT_EQ(read_by(64), 0);
}

TEST(ImportanceWindows, KeysAndValuesMayAskForDifferentThings) {
  const MemoryCapture whole = synthetic_capture({.n_tokens = 100});
  const CountedCapture capture(whole);
  ImportanceWindows windows(capture);
  const auto mean = windows.importance(kPrefix, kPrefix, 5, GqaReduce::mean, {});
  const auto max = windows.importance(kPrefix, kPrefix, 5, GqaReduce::max, {});
  const std::int64_t n_read = capture.n_read();
  EXPECT_EQ(windows.importance(kPrefix, kPrefix, 5, GqaReduce::mean, {}), mean);
  EXPECT_EQ(windows.importance(kPrefix, kPrefix, 5, GqaReduce::max, {}), max);
  EXPECT_EQ(capture.n_read(), n_read);
  windows.importance(50, 50, 5, GqaReduce::max, {});
  expect_maxima(whole, *windows.importance(50, 50, 7, GqaReduce::max, {}), 50, 7, GqaReduce::max);
  expect_maxima(whole, *mean, kPrefix, 5, GqaReduce::mean);
}

TEST(ImportanceWindows, WorkThatIsStoppedLeavesNothingHalfDone) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 100});
  ImportanceWindows windows(capture);
  windows.importance(kPrefix, kPrefix, 5, GqaReduce::max, {});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_ANY_THROW(
      windows.importance(kPrefix, kPrefix, 6, GqaReduce::max, Work(nullptr, stop.get_token())));
  expect_maxima(capture, *windows.importance(kPrefix, kPrefix, 6, GqaReduce::max, {}), kPrefix, 6,
                GqaReduce::max);
}

}  // namespace
}  // namespace qaq::test
