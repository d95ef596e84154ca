// Bytes as bars: every part as long as its bytes, in its colour, and written with its number.
#include "views/plots/memory_view.h"

#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr QSize kSize(900, 600);

SharedSlice slice() {
  ScopeParams params;
  for (QaqSideParams* side : {&params.qaq.key, &params.qaq.value}) {
    side->outliers_ratio = 0.1;
    side->target_quantization_error = 0.1;
  }
  const auto analysis = test::plantedAnalysis(params, 30);
  return loadSlice(analysis, defaultSlice(*analysis));
}

QImage pictureOf(MemoryView& view) {
  QImage image(kSize, QImage::Format_RGB32);
  image.fill(Theme::of(ThemeKind::light).surface);
  QCPPainter painter(&image);
  view.paintFigure(&painter, kSize);
  return image;
}

class Bars : public testing::TestWithParam<Accounting> {};
INSTANTIATE_TEST_SUITE_P(Counts, Bars, testing::Values(Accounting::packed, Accounting::nominal));

TEST_P(Bars, PartsAreAsLongAsTheirBytesAndInTheirColours) {
  SelectionModel selection;
  MemoryView view(&selection);
  const SharedSlice shown = slice();
  view.show(shown);
  view.setAccounting(GetParam());
  const QImage image = pictureOf(view);
  const MemoryReport report = memory_report(*shown->analysis->replay);
  const double px = view.partBox(2, MemoryPart::payload, kSize).width() /
                    report.both.part(GetParam(), MemoryPart::payload);
  int n_probed = 0;
  for (const auto& [bar, memory] :
       {std::pair{0, &report.key}, std::pair{1, &report.value}, std::pair{2, &report.both}}) {
    double left = view.partBox(bar, MemoryPart::payload, kSize).left();
    for (int i = 0; i < kMemoryParts; ++i) {
      const QRectF box = view.partBox(bar, static_cast<MemoryPart>(i), kSize);
      EXPECT_NEAR(box.left(), left, 1e-6);
      EXPECT_NEAR(box.width(), memory->part(GetParam(), static_cast<MemoryPart>(i)) * px, 1e-6);
      left = box.right();
      if (box.width() < 4) continue;
      EXPECT_EQ(image.pixel(box.center().toPoint()),
                Palette::of(ThemeKind::light).categories()[static_cast<std::size_t>(i)].color)
          << bar << " " << i;
      ++n_probed;
    }
    EXPECT_NEAR(left - view.partBox(bar, MemoryPart::payload, kSize).left(),
                memory->total(GetParam()) * px, 1e-6)
        << "the parts are the total";
  }
  EXPECT_GE(n_probed, 6);
}

TEST(MemoryView, SaysBytesAndSharesThatAddUp) {
  SelectionModel selection;
  MemoryView view(&selection);
  const SharedSlice shown = slice();
  view.show(shown);
  const ReplayResult& replay = *shown->analysis->replay;
  EXPECT_TRUE(view.summary().contains(numberText(replay.ratio_packed)))
      << view.summary().toStdString();
  EXPECT_TRUE(view.summary().contains(
      bytesText(static_cast<double>(replay.key.packed.total() + replay.value.packed.total()))));
  ASSERT_TRUE(view.table());
  EXPECT_EQ(view.table()->n_rows, 3 * (kMemoryParts + 1));
}

TEST(MemoryView, ShowsWhatIsLeftAtEveryStage) {
  // A slider that is dragged gives sizes before errors.
  SelectionModel selection;
  MemoryView view(&selection);
  const auto analysis =
      analyse({.capture = test::plantedCapture(), .prefix = 20, .through = Analysis::Stage::bits});
  view.show(loadSlice(analysis, defaultSlice(*analysis)));
  EXPECT_TRUE(view.error().isEmpty());
  EXPECT_GT(view.partBox(0, MemoryPart::payload, kSize).width(), 10);
}

TEST(NumberFormat, BytesAreBinaryAndShort) {
  EXPECT_EQ(bytesText(0), "0 B");
  EXPECT_EQ(bytesText(812), "812 B");
  EXPECT_EQ(bytesText(1023.6), "1.0 KiB");
  EXPECT_EQ(bytesText(25.3 * 1024), "25.3 KiB");
  EXPECT_EQ(bytesText(512 * 1024), "512 KiB");
  EXPECT_EQ(bytesText(1024 * 1024 * 1.5), "1.5 MiB");
  EXPECT_EQ(bytesText(1024. * 1024 - 1), "1.0 MiB");
}

TEST(NumberFormat, ShortNumbersDropTheirZeros) {
  EXPECT_EQ(shortNumberText(96), "96");
  EXPECT_EQ(shortNumberText(0.07), "0.07");
  EXPECT_EQ(shortNumberText(3.2741), "3.274");
  EXPECT_EQ(shortNumberText(-1.5), "−1.5");
  EXPECT_EQ(shortNumberText(100), "100");
  EXPECT_EQ(shortNumberText(2e-7), "2×10⁻⁷");
  EXPECT_EQ(shortNumberText(std::numeric_limits<double>::infinity()), "∞");
}

}  // namespace
}  // namespace qaq::views
