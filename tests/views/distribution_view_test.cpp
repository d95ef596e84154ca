// How numbers lie: outlines where the bins say, handles where the ratio cuts, and back.
#include "views/plots/distribution_view.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

#include "core/replay/cache_replay.h"
#include "tests/views/views_fixture.h"
#include "views/plots/number_format.h"

Q_DECLARE_METATYPE(qaq::CacheSide)

namespace qaq::views {
namespace {

SharedSlice slice(const ScopeParams& params = {}, std::int64_t prefix = 0) {
  const auto analysis = test::plantedAnalysis(params, prefix);
  return loadSlice(analysis, defaultSlice(*analysis));
}

QRgb colorOf(int style) {
  return Palette::of(ThemeKind::light).categories().at(static_cast<std::size_t>(style)).color;
}

QPoint placeOf(const DistributionView& view, int panel, double x, double y) {
  QCPAxisRect* axes = view.plot()->panels()[panel];
  const QPointF at(axes->axis(QCPAxis::atBottom)->coordToPixel(x),
                   axes->axis(QCPAxis::atLeft)->coordToPixel(y));
  return view.plot()->mapTo(&view, at.toPoint());
}

TEST(DistributionView, DrawsTheDensityOfEveryBin) {
  SelectionModel selection;
  DistributionView view(&selection);
  const SharedSlice shown = slice();
  test::ShownView screen(view, shown, {1000, 800});
  const Distributions all =
      distributions(*shown->analysis->capture, {.scope = DistributionScope::head,
                                                .layer = shown->slice.layer,
                                                .kv_head = shown->slice.kvHead,
                                                .prefix = test::Planted::kTokens});
  ASSERT_EQ(view.plot()->panels().size(), 4);
  const Histogram& raw = all.key.histograms.raw;
  int n_drawn = 0;
  for (std::int64_t bin = 0; bin < raw.n_bins(); bin += 3) {
    if (raw.count(bin) == 0) continue;
    const QRect around =
        QRect(-2, -2, 5, 5).translated(placeOf(view, kKeyPanel, raw.centre(bin), raw.density(bin)));
    EXPECT_GT(test::countPixels(screen.image(), colorOf(kKeyStyle), around), 0) << bin;
    ++n_drawn;
  }
  EXPECT_GT(n_drawn, 4);
  const auto range = view.plot()->panels()[kKeyPanel]->axis(QCPAxis::atBottom)->range();
  EXPECT_EQ(range.lower, -range.upper) << "symmetric";
  EXPECT_GE(range.upper, raw.largest()) << "no tail is cut";
}

TEST(DistributionView, HandlesStandWhereTheRatioCuts) {
  ScopeParams params;
  params.qaq.value.outliers_ratio = 0.05;
  params.qaq.key.level = Level::no_quantization;
  SelectionModel selection;
  DistributionView view(&selection);
  test::ShownView screen(view, slice(params), {1000, 800});
  EXPECT_EQ(view.handles(CacheSide::key), nullptr) << "nothing is cut off exact keys";
  const CutHandles* handles = view.handles(CacheSide::value);
  ASSERT_NE(handles, nullptr);
  const auto analysis = test::plantedAnalysis(params);
  const Slice at = defaultSlice(*analysis);
  const OutlierCut cut =
      distributions(*analysis->capture,
                    {.layer = at.layer, .kv_head = at.kvHead, .prefix = test::Planted::kTokens})
          .value.cut(0.05);
  EXPECT_EQ(handles->low(), cut.low);
  EXPECT_EQ(handles->high(), cut.high);
  QCPAxisRect* axes = view.plot()->panels()[kValuePanel];
  const int x = static_cast<int>(axes->axis(QCPAxis::atBottom)->coordToPixel(cut.high));
  const QPoint top = view.plot()->mapTo(&view, QPoint(x, axes->top()));
  EXPECT_GT(test::countPixels(screen.image(), Theme::of(ThemeKind::light).accent.rgb(),
                              QRect(top - QPoint(3, 0), QSize(7, axes->height()))),
            axes->height() / 2);
}

TEST(DistributionView, AHandleThatIsDraggedChoosesItsRatio) {
  qRegisterMetaType<CacheSide>("qaq::CacheSide");
  SelectionModel selection;
  DistributionView view(&selection);
  test::ShownView screen(view, slice(), {1000, 800});
  QSignalSpy chosen(&view, &DistributionView::outliersRatioChosen);
  QCPAxisRect* axes = view.plot()->panels()[kValuePanel];
  const auto pixel = [&](double x) {
    return QPoint(static_cast<int>(std::lround(axes->axis(QCPAxis::atBottom)->coordToPixel(x))),
                  axes->center().y());
  };
  const double from = view.handles(CacheSide::value)->high();
  const double px = 1.5 * axes->axis(QCPAxis::atBottom)->range().size() / axes->width();
  QTest::mousePress(view.plot(), Qt::LeftButton, {}, pixel(from));
  const QPoint to = pixel(from / 2);
  QTest::mouseMove(view.plot(), to);
  ASSERT_GE(chosen.count(), 1);
  EXPECT_EQ(chosen.back()[0].value<CacheSide>(), CacheSide::value);
  EXPECT_FALSE(chosen.back()[2].toBool()) << "not yet";
  QTest::mouseRelease(view.plot(), Qt::LeftButton, {}, to);
  const double ratio = chosen.back()[1].toDouble();
  EXPECT_TRUE(chosen.back()[2].toBool());
  const auto analysis = test::plantedAnalysis();
  const Slice at = defaultSlice(*analysis);
  const ValueDistribution values =
      distributions(*analysis->capture,
                    {.layer = at.layer, .kv_head = at.kvHead, .prefix = test::Planted::kTokens})
          .value;
  // Within a pixel of where the pointer was.
  EXPECT_GE(ratio, values.ratio_at(from / 2 + px));
  EXPECT_LE(ratio, values.ratio_at(from / 2 - px));
  EXPECT_GT(ratio, 0.01);
  EXPECT_EQ(view.handles(CacheSide::value)->high(), values.cut(ratio).high) << "it stays there";
  QTest::mouseClick(view.plot(), Qt::LeftButton, {}, pixel(0));
  EXPECT_TRUE(chosen.back()[1].toDouble() == ratio) << "no handle is there";
}

TEST(DistributionView, TellsWhatWasKeptAndHowWideItIs) {
  ScopeParams params;
  params.qaq.key.outliers_ratio = 0.2;
  SelectionModel selection;
  DistributionView view(&selection);
  const SharedSlice shown = slice(params);
  test::ShownView screen(view, shown);
  const DistributionPlace place{.layer = shown->slice.layer,
                                .kv_head = shown->slice.kvHead,
                                .prefix = test::Planted::kTokens};
  const double kept = share_kept(shown->analysis->replay->key, place);
  const QString title = QString::fromStdString(view.plot()->chart().panels[kKeyPanel].title);
  EXPECT_TRUE(title.contains(shareText(kept))) << title.toStdString();
  EXPECT_TRUE(title.contains(shareText(0.2))) << title.toStdString();
  const double deviation = distributions(*shown->analysis->capture, place).key.deviation;
  EXPECT_TRUE(title.contains(numberText(deviation))) << title.toStdString();
  EXPECT_TRUE(view.summary().contains(numberText(deviation)));
}

TEST(DistributionView, LooksAtMoreOnRequest) {
  SelectionModel selection;
  DistributionView view(&selection);
  test::ShownView screen(view, slice({}, 30), {1000, 800});
  const auto n_values = [&] {
    std::int64_t n = 0;
    view.table()->for_each_row([&](std::span<const Cell> row) {
      if (std::get<std::int64_t>(row[1]) == 0) n += std::get<std::int64_t>(row[4]);
    });
    return n / 2;  // keys and values
  };
  using P = test::Planted;
  EXPECT_EQ(n_values(), 30 * P::kHeadDim);
  EXPECT_EQ(view.plot()->panels().size(), 4);
  view.setScope(DistributionScope::layer);
  screen.refresh();
  EXPECT_EQ(n_values(), 30 * P::kHeadDim * P::kKvHeads);
  EXPECT_EQ(view.plot()->panels().size(), 3) << "channels are those of a head";
  view.setScope(DistributionScope::capture);
  screen.refresh();
  EXPECT_EQ(n_values(), 30 * P::kHeadDim * P::kKvHeads * 3);
}

}  // namespace
}  // namespace qaq::views
