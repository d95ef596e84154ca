// Runs as points: in their places, named, the front among them, and alive to a click.
#include "views/plots/tradeoff_view.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/plots/run_label.h"

namespace qaq::views {
namespace {

RunSummary run(double target, Level level = Level::head) {
  ScopeParams params;
  for (QaqSideParams* side : {&params.qaq.key, &params.qaq.value}) {
    side->target_quantization_error = target;
    side->level = level;
  }
  return summary_of(*test::plantedAnalysis(params)->replay);
}

TradeoffView::Runs someRuns() {
  static const auto kRuns = std::make_shared<const std::vector<RunSummary>>(
      std::vector{run(0.01), run(0.1), run(0.3, Level::token), run(3)});
  return kRuns;
}

SharedSlice slice(const ScopeParams& params = {}) {
  const auto analysis = test::plantedAnalysis(params);
  return loadSlice(analysis, defaultSlice(*analysis));
}

class Tradeoff : public testing::Test {
 protected:
  Tradeoff() {
    view_.setRuns(someRuns());
    screen_ = std::make_unique<test::ShownView>(view_, slice(), QSize(900, 600));
  }
  QPoint placeOf(const RunPoint& point) const {
    QCPAxisRect* axes = view_.plot()->panels().first();
    return QPointF(axes->axis(QCPAxis::atBottom)->coordToPixel(point.ratio),
                   axes->axis(QCPAxis::atLeft)->coordToPixel(point.loss))
        .toPoint();
  }

  SelectionModel selection_;
  TradeoffView view_{&selection_};
  std::unique_ptr<test::ShownView> screen_;
};

TEST_F(Tradeoff, EveryRunIsAPointWithItsLevelsSign) {
  ASSERT_EQ(view_.runs().size(), 5u) << "the setting that is shown is one";
  ASSERT_EQ(view_.points().size(), 5u);
  EXPECT_EQ(view_.loss(), "output_error");
  for (const RunPoint& point : view_.points()) {
    const bool token = view_.runs()[point.run].params.qaq.key.level == Level::token;
    const QRgb color = Palette::of(ThemeKind::light).categories().at(token ? 1 : 0).color;
    const QPoint at = view_.plot()->mapTo(&view_, placeOf(point));
    EXPECT_GT(test::countPixels(screen_->image(), color, QRect(-3, -3, 7, 7).translated(at)), 15)
        << point.run;
  }
  EXPECT_EQ(view_.plot()->chartLegend()->names(),
            (QStringList{"no run saves more and loses less", "level head", "level token"}));
}

TEST_F(Tradeoff, LabelsCoverNoOtherAndNoPoint) {
  const QList<QRectF> boxes = view_.labels()->boxes();
  ASSERT_EQ(boxes.size(), 5);
  int n_written = 0;
  for (qsizetype i = 0; i < boxes.size(); ++i) {
    if (boxes[i].isEmpty()) continue;
    ++n_written;
    for (qsizetype j = 0; j < i; ++j) EXPECT_FALSE(boxes[i].intersects(boxes[j])) << i << j;
    for (const RunPoint& point : view_.points()) EXPECT_FALSE(boxes[i].contains(placeOf(point)));
    EXPECT_TRUE(QRectF(view_.plot()->panels().first()->rect()).contains(boxes[i]));
  }
  EXPECT_GE(n_written, 3);
}

TEST_F(Tradeoff, TheShownSettingIsCircledAndCountsOnce) {
  ScopeParams params;
  params.qaq.key.target_quantization_error = params.qaq.value.target_quantization_error = 0.1;
  view_.show(slice(params));
  screen_->refresh();
  EXPECT_EQ(view_.runs().size(), 4u) << "it is among the runs";
  const QPoint at = view_.plot()->mapTo(&view_, placeOf(view_.points()[1]));
  EXPECT_GT(test::countPixels(screen_->image(), Theme::of(ThemeKind::light).accent.rgb(),
                              QRect(-10, -10, 21, 21).translated(at)),
            20);
}

TEST_F(Tradeoff, ASettingCountsOnceAllItsErrorsAreKnown) {
  const auto preview =
      analyse({.capture = test::plantedCapture(), .through = Analysis::Stage::violations});
  SelectionModel selection;
  TradeoffView view(&selection);
  view.show(loadSlice(preview, defaultSlice(*preview)));
  EXPECT_TRUE(view.runs().empty());
  EXPECT_FALSE(view.error().isEmpty());
  view.show(slice());
  EXPECT_EQ(view.runs().size(), 1u);
  EXPECT_TRUE(view.error().isEmpty());
}

TEST_F(Tradeoff, TheAxesAreWhatWasAskedFor) {
  const double packed = view_.points()[0].ratio;
  view_.setAccounting(Accounting::nominal);
  EXPECT_NE(view_.points()[0].ratio, packed);
  EXPECT_EQ(view_.points()[0].ratio, (*someRuns())[0].metrics.at("ratio_nominal"));
  view_.setLoss("attention_error");
  EXPECT_EQ(view_.points()[0].loss, (*someRuns())[0].metrics.at("attention_error"));
  EXPECT_NE(view_.plot()->chart().panels[0].x.label.find("nominal"), std::string::npos);
  view_.setLoss("kl_mean");
  EXPECT_EQ(view_.loss(), "output_error") << "no run has a KL";
}

TEST_F(Tradeoff, AClickOnAPointChoosesItsRun) {
  QSignalSpy chosen(&view_, &TradeoffView::runChosen);
  QTest::mouseClick(view_.plot(), Qt::LeftButton, {}, placeOf(view_.points()[2]));
  ASSERT_EQ(chosen.count(), 1);
  EXPECT_EQ(chosen[0][0].toInt(), static_cast<int>(view_.points()[2].run));
  QTest::mouseClick(view_.plot(), Qt::LeftButton, {}, QPoint(3, 3));
  EXPECT_EQ(chosen.count(), 1);
}

TEST_F(Tradeoff, TheTableNamesEveryRun) {
  ASSERT_TRUE(view_.table());
  EXPECT_EQ(view_.table()->n_rows, 5);
  QStringList names;
  view_.table()->for_each_row([&](std::span<const Cell> row) {
    names.push_back(QString::fromStdString(std::get<std::string>(row[1])));
  });
  EXPECT_EQ(names[0], "target 0.01");
  EXPECT_EQ(names[2], "target 0.3  level token");
}

TEST(RunLabel, NamesWhatIsUnlikeTheDefaults) {
  RunSummary made;
  EXPECT_EQ(runLabel(made), "target 1");
  made.params.qaq.value.target_quantization_error = 0.03;
  EXPECT_EQ(runLabel(made), "target 1 | target 0.03");
  made.params.qaq.key.use_attentions = false;
  made.params.qaq.key.n_bits_uniform = 4;
  made.params.qaq.value.level = Level::no_quantization;
  EXPECT_EQ(runLabel(made), "4 bits | exact, level head | level no-quantization");
  made = {};
  made.params.qaq.key.last_n_attentions = made.params.qaq.value.last_n_attentions = 1;
  EXPECT_EQ(runLabel(made), "target 1, window 1");
  made.name = "mine";
  EXPECT_EQ(runLabel(made), "mine");
}

}  // namespace
}  // namespace qaq::views
