// What views ask of the window: a dragged handle and a clicked run set parameters, a symbol marks
// where it is seen.
#include "views/shell/view_links.h"

#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/panels/parameter_field.h"
#include "views/panels/parameter_panel.h"
#include "views/plots/distribution_view.h"
#include "views/plots/formula_view.h"
#include "views/plots/tradeoff_view.h"
#include "views/shell/main_window.h"
#include "views/shell/target_mark.h"

namespace qaq::views {
namespace {

using test::waitFor;

class Links : public testing::Test {
 protected:
  Links() {
    window_.resize(1600, 1000);
    window_.show();
    window_.workspace().open("planted.h5");
    EXPECT_TRUE(waitFor([&] { return window_.workspace().shown() && window_.isSettled(); }));
    EXPECT_TRUE(window_.page()->bringUp("tradeoff"));
    settle();
  }
  void settle() {
    ASSERT_TRUE(waitFor([&] { return window_.isSettled(); }));
  }
  template <class View>
  View* view(const char* id) {
    return qobject_cast<View*>(window_.page()->view(id));
  }

  MainWindow window_{[](const std::string&, const Work&) { return test::plantedCapture(); }};
};

TEST_F(Links, ARatioThatAHandleChoseIsReplayed) {
  auto* distributions = view<DistributionView>("distributions");
  ASSERT_NE(distributions, nullptr);
  emit distributions->outliersRatioChosen(CacheSide::value, 0.125, true);
  settle();
  const QaqParams& params = window_.workspace().shown()->analysis->params.qaq;
  EXPECT_EQ(params.value.outliers_ratio, 0.125);
  EXPECT_EQ(params.key.outliers_ratio, 0.01);
  EXPECT_EQ(window_.parameters()->params().qaq.value.outliers_ratio, 0.125);
}

TEST_F(Links, RunsGatherAndAClickedOneComesBack) {
  auto* tradeoff = view<TradeoffView>("tradeoff");
  ASSERT_NE(tradeoff, nullptr);
  EXPECT_EQ(tradeoff->runs().size(), 1u);
  ScopeParams params;
  params.qaq.value.target_quantization_error = 0.05;
  window_.workspace().setPrefix(20, false);
  window_.workspace().setParams(params, true);
  settle();
  ASSERT_EQ(tradeoff->runs().size(), 2u);
  emit tradeoff->runChosen(0);
  settle();
  const Analysis& shown = *window_.workspace().shown()->analysis;
  EXPECT_TRUE(same_parameters(shown.params.qaq, QaqParams()));
  EXPECT_EQ(shown.replay->prefix, test::Planted::kTokens);
  EXPECT_EQ(tradeoff->runs().size(), 2u) << "it was there already";
}

TEST_F(Links, ASymbolMarksItsParameterAndItsView) {
  auto* formula = qobject_cast<FormulaView*>(window_.dockedView("formula"));
  ASSERT_NE(formula, nullptr);
  auto* mark = window_.findChild<TargetMark*>();
  ASSERT_NE(mark, nullptr);
  EXPECT_EQ(mark->target(), nullptr);
  emit formula->symbolHovered("value.target_quantization_error");
  EXPECT_EQ(mark->target(), window_.parameters()->field("value.target_quantization_error"));
  EXPECT_TRUE(mark->isVisible());
  emit formula->symbolHovered("memory");
  EXPECT_EQ(mark->target(), window_.page()->view("memory"));
  EXPECT_EQ(mark->mapToGlobal(QPoint()), window_.page()->view("memory")->mapToGlobal(QPoint()));
  emit formula->symbolHovered("");
  EXPECT_EQ(mark->target(), nullptr);
  EXPECT_FALSE(mark->isVisible());
}

}  // namespace
}  // namespace qaq::views
