// Every policy in the window: chosen, shown, undone, copied; and what is evicted, drawn.
#include <QComboBox>
#include <gtest/gtest.h>

#include "core/analysis/run_tradeoff.h"
#include "core/policy/composed_policy.h"
#include "core/policy/policies.h"
#include "tests/support/every_other.h"
#include "tests/views/views_fixture.h"
#include "views/commands/command_registry.h"
#include "views/panels/cell_facts.h"
#include "views/panels/parameter_field.h"
#include "views/panels/parameter_panel.h"
#include "views/panels/policy_chooser.h"
#include "views/plots/bit_map_view.h"
#include "views/plots/error_view.h"
#include "views/plots/evicted_pattern.h"
#include "views/plots/formula_view.h"
#include "views/plots/outlier_map_view.h"
#include "views/plots/run_label.h"
#include "views/plots/token_view.h"
#include "views/plots/view_list.h"
#include "views/shell/main_window.h"
#include "views/shell/window_commands.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

ScopeParams of(const std::string& policy) {
  ScopeParams out;
  set_policy(out, policy);
  // Groups that fit the planted head.
  for (const char* name : {"group_size", "residual_length"}) {
    if (policy == "kivi") set_parameter(out, name, std::int64_t{8});
  }
  return out;
}

/// The planted capture, of which each KV head keeps every other token.
SharedAnalysis evictedAnalysis(const std::shared_ptr<const CachePolicy>& policy) {
  auto out = std::make_shared<Analysis>(*plantedAnalysis());
  out->replay = replay(*out->capture, {{}, 30, policy});
  out->params = scope_params_of(out->replay->policy, out->replay->parameters);
  out->violations = nullptr;
  for (const CacheSide which : {CacheSide::key, CacheSide::value}) {
    Analysis::Side& side = which == CacheSide::key ? out->key : out->value;
    side.bits = std::make_shared<const Heatmap>(bit_map(*out->replay, out->capture->info(), which));
    side.histogram = bit_histogram(*out->replay, which);
  }
  return out;
}

bool isKept(int layer, int head, int token) {
  return qaq::test::EveryOther::keeps(2, layer, head, token);
}

class EvictedMap : public testing::TestWithParam<ThemeKind> {};
INSTANTIATE_TEST_SUITE_P(Themes, EvictedMap, testing::Values(ThemeKind::light, ThemeKind::dark));

TEST_P(EvictedMap, CrossesWhatIsEvictedAndNothingElse) {
  const auto analysis = evictedAnalysis(qaq::test::every_other(2));
  const Palette::Evicted evicted = Palette::of(GetParam()).evicted();
  SelectionModel selection;
  BitMapView view(&selection);
  const ShownView shown(view, loadSlice(analysis, {}), {1200, 500}, GetParam());
  const CaptureInfo& info = analysis->capture->info();
  const BitPane* pane = view.pane(CacheSide::key);
  for (int index = 0; index < 3; ++index) {
    for (int head = 0; head < Planted::kKvHeads; ++head) {
      const int row = info.layers[static_cast<std::size_t>(index)] * Planted::kKvHeads + head;
      for (int token = 0; token < 30; ++token) {
        const QRgb at = shown.cell(pane, row, token);
        const bool isCrossed = at == evicted.fill || at == evicted.cross;
        ASSERT_EQ(isCrossed, !isKept(index, head, token)) << index << ' ' << head << ' ' << token;
      }
    }
  }
  EXPECT_GT(countPixels(shown.image(), evicted.cross), 100) << "crosses, not the ground alone";
  EXPECT_TRUE(view.summary().contains("evicted: 50 %")) << view.summary().toStdString();
}

TEST(EvictedPattern, CrossesEachSevenPixels) {
  int n = 0;
  for (int y = 0; y < 14; ++y) {
    for (int x = 0; x < 14; ++x) n += isOnCross(x, y, 1);
  }
  EXPECT_EQ(n, 4 * 9) << "a cross of 5 has 9 pixels";
  EXPECT_EQ(isOnCross(3, 3, 2), isOnCross(1, 1, 1)) << "thicker on finer screens";
}

TEST(Evicted, IsNotTheWholeOfAHeadForAll) {
  // With all heads a token is evicted where none keeps it: KV heads take turns here.
  const auto analysis = evictedAnalysis(qaq::test::every_other(2));
  const StripInputs inputs{.info = &analysis->capture->info(), .replay = analysis->replay.get()};
  const TokenStrips strips = token_strips(inputs);
  for (int token = 0; token < 30; ++token) {
    EXPECT_FALSE(std::isnan(strips.key_bits[static_cast<std::size_t>(token)]));
  }
}

// The planted heads are too small for blocks of 32 channels.
std::vector<std::string> policiesOfAnyHead() {
  std::vector<std::string> names = policy_names();
  std::erase_if(names, [](const std::string& name) { return name == "q8_0" || name == "q4_0"; });
  return names;
}

class EveryPolicy : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, EveryPolicy, testing::ValuesIn(policiesOfAnyHead()),
                         [](const auto& test) { return test.param; });

TEST_P(EveryPolicy, IsShownByEveryView) {
  const SharedAnalysis analysis = plantedAnalysis(of(GetParam()), 30);
  const SharedSlice slice = loadSlice(analysis, {.layer = 1, .kvHead = 1});
  SelectionModel selection;
  selection.reset(analysis->capture->info(), slice->slice);
  selection.lock({.layer = 1, .kvHead = 1, .token = 7});
  for (const QString& id : viewIds()) {
    const auto view = makeView(id, &selection);
    const ShownView shown(*view, slice, {900, 500});
    EXPECT_FALSE(view->summary().isEmpty()) << id.toStdString();
    EXPECT_FALSE(view->summary().contains("nan", Qt::CaseInsensitive)) << id.toStdString();
  }
}

TEST_P(EveryPolicy, HasItsEditorsInThePanel) {
  ParameterPanel panel;
  panel.setParams(of(GetParam()));
  const auto all = list_parameters(panel.params());
  for (const Parameter& parameter : all) {
    ASSERT_NE(panel.field(QString::fromStdString(parameter.name)), nullptr) << parameter.name;
  }
  const PolicyParts parts = parts_of(GetParam());
  const QComboBox* box =
      parts.evicts.empty() ? panel.chooser()->quantizes() : panel.chooser()->evicts();
  EXPECT_EQ(box->currentText().toStdString(), GetParam());
  EXPECT_FALSE(box->toolTip().isEmpty());
}

TEST(PolicyChooser, SendsWhatWasChosen) {
  ParameterPanel panel;
  std::vector<ScopeParams> sent;
  QObject::connect(&panel, &ParameterPanel::edited,
                   [&](const ScopeParams& params, bool) { sent.push_back(params); });
  QComboBox* box = panel.chooser()->quantizes();
  const int kivi = box->findText("kivi");
  ASSERT_GE(kivi, 0);
  box->setCurrentIndex(kivi);
  emit box->activated(kivi);
  ASSERT_EQ(sent.size(), 1);
  EXPECT_EQ(sent.back().policy, "kivi");
  EXPECT_NE(panel.field("k_bits"), nullptr);
  EXPECT_EQ(panel.field("key.level"), nullptr);
}

class PolicyWindow : public testing::Test {
 protected:
  PolicyWindow()
      : window_({.openCapture = [](const std::string&, const Work&) { return plantedCapture(); }}) {
    window_.show();
    window_.workspace().open("planted.h5");
    settle();
  }
  void settle() {
    ASSERT_TRUE(waitFor([&] { return window_.workspace().shown() && window_.isSettled(); }));
  }
  void run(const QString& line) {
    window_.commands().registry().triggerLine(line);
    settle();
  }
  const ScopeParams& shown() { return window_.workspace().shown()->analysis->params; }

  MainWindow window_;
};

TEST_F(PolicyWindow, TakesAPolicyByCommandUndoesItAndCopiesIt) {
  run("policy uniform");
  EXPECT_EQ(shown().policy, "uniform");
  EXPECT_EQ(window_.parameters()->params().policy, "uniform") << "the panel shows it";
  EXPECT_EQ(window_.workspace().shown()->analysis->replay->policy, "uniform");
  EXPECT_EQ(window_.workspace().shown()->analysis->violations, nullptr);
  run("key.bits = 3");
  EXPECT_EQ(window_.replayCommand(), "qaq replay planted.h5 --policy uniform --set key.bits=3");
  run("undo");
  run("undo");
  EXPECT_EQ(shown().policy, "qaq");
  EXPECT_TRUE(same_parameters(shown(), ScopeParams{}));
  run("redo");
  EXPECT_EQ(shown().policy, "uniform");
  EXPECT_THROW(run("policy unifor"), Error);
  EXPECT_EQ(window_.sessionState().params.policy, "uniform");
}

}  // namespace
}  // namespace qaq::views
