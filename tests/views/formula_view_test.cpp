// The formula of the cell that is looked at: its numbers in words, its symbols alive.
#include "views/plots/formula_view.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/plots/formula_text.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr Cursor kCell{.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 5};

class Formula : public testing::Test {
 protected:
  void show(const ScopeParams& params, const std::optional<Cursor>& cell = kCell,
            std::int64_t prefix = 0) {
    const auto analysis = test::plantedAnalysis(params, prefix);
    slice_ = loadSlice(analysis, defaultSlice(*analysis));
    selection_.reset(analysis->capture->info(), slice_->slice);
    if (cell) selection_.lock(*cell);
    view_.show(slice_);
    settle();
  }
  void settle() {
    ASSERT_TRUE(test::waitFor([&] { return view_.isReady(); }));
  }
  CellExplanation fresh(const Cursor& cell) const {
    const Analysis& analysis = *slice_->analysis;
    return explain_cell(
        *analysis.capture, {.params = analysis.params.qaq, .prefix = analysis.replay->prefix},
        {cell.side, analysis.capture->info().layers[static_cast<std::size_t>(cell.layer)],
         cell.kvHead, cell.token});
  }

  SelectionModel selection_;
  FormulaView view_{&selection_};
  SharedSlice slice_;
};

TEST_F(Formula, AsksForACellWhereNoneIsLookedAt) {
  show({}, std::nullopt);
  EXPECT_EQ(view_.explanation(), nullptr);
  EXPECT_TRUE(view_.error().contains("click to lock")) << view_.error().toStdString();
}

TEST_F(Formula, HasTheNumbersOfTheLockedCell) {
  for (const Variant variant : {Variant::reference, Variant::paper, Variant::bound}) {
    ScopeParams params;
    params.qaq.key.variant = params.qaq.value.variant = variant;
    show(params);
    const CellExplanation x = fresh(kCell);
    ASSERT_NE(view_.explanation(), nullptr);
    const QString text = view_.plainText();
    const auto name = static_cast<std::size_t>(variant);
    EXPECT_TRUE(text.contains(
        QString::fromStdString(std::string(ChoiceNames<Variant>::names[name]) + " formula")))
        << text.toStdString();
    for (const FormulaLine& line : bit_formula(x)) {
      for (const FormulaTerm& term : line.terms) {
        if (term.kind != FormulaTerm::Kind::number) continue;
        EXPECT_TRUE(text.contains(shortNumberText(term.value))) << term.symbol;
      }
    }
    const int bits = slice_->analysis->replay->value.bits(1, 1, 5);
    EXPECT_EQ(x.bits.choice.n_bits, bits);
    EXPECT_TRUE(text.contains(counted(bits, "1 bit", "%1 bits")));
    EXPECT_TRUE(text.contains("w5")) << "the token";
  }
}

TEST_F(Formula, FollowsThePointerAndComesBackToTheLock) {
  show({});
  selection_.hover(Cursor{.side = CacheSide::key, .layer = 0, .kvHead = 0, .token = 9});
  settle();
  EXPECT_EQ(view_.explanation()->cell.side, CacheSide::key);
  EXPECT_EQ(view_.explanation()->cell.token, 9);
  selection_.hover(std::nullopt);
  settle();
  EXPECT_EQ(view_.explanation()->cell.token, 5);
  selection_.unlock();
  settle();
  EXPECT_EQ(view_.explanation(), nullptr);
}

TEST_F(Formula, SaysWhichLimitActed) {
  ScopeParams params;
  params.qaq.value.n_bits_min = 6;
  params.qaq.value.n_bits_max = 7;
  show(params);
  const int wanted = fresh(kCell).bits.choice.wanted;
  ASSERT_LT(wanted, 6);
  EXPECT_TRUE(view_.plainText().contains("raised to n_bits_min = 6"))
      << view_.plainText().toStdString();
  Cursor newest = kCell;
  newest.token = test::Planted::kTokens - 1;
  selection_.lock(newest);
  settle();
  EXPECT_TRUE(view_.plainText().contains("by rule")) << view_.plainText().toStdString();
  params.qaq.value.use_attentions = false;
  params.qaq.value.n_bits_uniform = 3;
  show(params);
  EXPECT_TRUE(view_.plainText().contains("fixed bits"));
  EXPECT_TRUE(view_.plainText().contains("3 bits"));
}

TEST_F(Formula, OfWhatIsLeftExactSaysWhy) {
  show({}, kCell, 5);
  EXPECT_TRUE(view_.plainText().contains("behind the prefix of 5 tokens"))
      << view_.plainText().toStdString();
}

TEST_F(Formula, ASymbolUnderThePointerTellsWhereItIsSeen) {
  show({});
  view_.resize(700, 500);
  view_.QWidget::show();
  settle();
  view_.grab();
  QSignalSpy hovered(&view_, &FormulaView::symbolHovered);
  // Every place of the view: S_u must be somewhere, and lead to attention.
  QSet<QString> symbols;
  QPoint scores;
  for (int y = 0; y < view_.height(); y += 4) {
    for (int x = 0; x < view_.width(); x += 4) {
      const QString symbol = view_.symbolAt({x, y});
      if (symbol.isEmpty()) continue;
      symbols.insert(symbol);
      if (symbol == "S_u") scores = {x, y};
    }
  }
  for (const char* name : {"e", "T", "S_u", "range", "max_error"}) {
    EXPECT_TRUE(symbols.contains(name)) << name;
  }
  test::movePointer(&view_, scores);
  ASSERT_TRUE(test::waitFor([&] { return hovered.count() == 1; }));
  EXPECT_EQ(hovered[0][0].toString(), "attention");
  const QImage marked = view_.grab().toImage();
  EXPECT_GT(test::countPixels(marked, Theme::of(ThemeKind::light).accentSoft.rgb()), 20);
  test::movePointer(&view_, {1, 1});
  EXPECT_TRUE(test::waitFor([&] { return hovered.back()[0].toString().isEmpty(); }));
}

TEST(FormulaText, IsWrittenAsMathematics) {
  EXPECT_EQ(prettySymbol("sigma^2"), "σ²");
  EXPECT_EQ(prettySymbol("S_u"), "S<sub>u</sub>");
  EXPECT_EQ(prettySymbol("q_norm"), "q<sub>norm</sub>");
  EXPECT_EQ(prettySymbol("n_bits"), "n_bits");
  EXPECT_EQ(prettySymbol("max_error"), "max_error");
  EXPECT_EQ(prettySigns(" * ln("), " · ln(");
  EXPECT_EQ(prettySigns("sqrt(12 / "), "√(12 / ");
  EXPECT_EQ(prettySigns("^3 / ("), "³ / (");
}

}  // namespace
}  // namespace qaq::views
