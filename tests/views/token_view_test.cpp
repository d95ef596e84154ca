// V8: text with strips of bits, outliers and attention below each token.
#include "views/plots/token_view.h"

#include <QScrollBar>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/plots/attention_pane.h"
#include "views/plots/token_legend.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using Ranges = std::vector<TokenRange>;

const Slice kPlanted{.layer = Planted::kLayer, .kvHead = Planted::kHead / 2};

ScopeParams fewBits() {
  ScopeParams params;
  set_parameter(params, "value.target_quantization_error", 0.2);
  set_parameter(params, "outliers_ratio", 0.2);
  return params;
}

class Tokens : public testing::Test {
 protected:
  void open(std::int64_t prefix = 34, const QSize& size = {900, 500}) {
    analysis = plantedAnalysis(fewBits(), prefix);
    selection.reset(analysis->capture->info(), kPlanted);
    slice = loadSlice(analysis, kPlanted);
    shown = std::make_unique<ShownView>(view, slice, size, theme);
  }
  TokenArea* area() { return view.area(); }
  QPoint inView(const QPointF& inFlow) {
    return area()->viewport()->mapTo(&view, (inFlow - QPointF(0, area()->top())).toPoint());
  }
  QPoint inArea(const QPointF& inFlow) { return (inFlow - QPointF(0, area()->top())).toPoint(); }
  QRgb strip(int token, int row) {
    return shown->image().pixel(inView(area()->flow().stripRect(token, row).center()));
  }
  void click(int token, Qt::KeyboardModifiers modifiers = {}) {
    QTest::mouseClick(area()->viewport(), Qt::LeftButton, modifiers,
                      inArea(area()->flow().textRect(token).center()));
  }

  ThemeKind theme = ThemeKind::light;
  SharedAnalysis analysis;
  SharedSlice slice;
  SelectionModel selection;
  TokenView view{&selection};
  std::unique_ptr<ShownView> shown;
};

TEST_F(Tokens, EveryStripHasTheColourOfItsNumber) {
  for (const ThemeKind kind : {ThemeKind::light, ThemeKind::dark}) {
    theme = kind;
    open();
    const Palette& palette = Palette::of(kind);
    const ColorMap probability = probabilityColors(Planted::kTokens);
    ASSERT_EQ(area()->flow().stripNames(),
              (QStringList{"K bits", "V bits", "outliers", "attention"}));
    for (const int token : {0, 7, 20, 29, 33}) {
      const auto bits = [&](CacheSide side) {
        return analysis->cache(side).bits(kPlanted.layer, kPlanted.kvHead, token);
      };
      EXPECT_EQ(strip(token, 0), palette.bits(bits(CacheSide::key))) << token;
      EXPECT_EQ(strip(token, 1), palette.bits(bits(CacheSide::value))) << token;
      // The last five rows before step 34, in which every token has 1 / (s + 1), and token 7 once
      // 0.9.
      const float most =
          token == Planted::kToken ? 0.9f : 1.0f / static_cast<float>(std::max(29, token) + 1);
      EXPECT_EQ(strip(token, 3), probability(most)) << token;
    }
  }
}

TEST_F(Tokens, WhatIsNotYetInTheCacheIsFaintAndHasNoStrips) {
  open(20);
  const QRgb surface = Theme::of(theme).surface.rgb();
  for (int row = 0; row < 4; ++row) {
    EXPECT_EQ(strip(25, row), surface);
    EXPECT_NE(strip(19, row == 2 ? 0 : row), surface);
  }
  const auto dark = [&](int token) {
    const QRect text = area()->flow().textRect(token).toAlignedRect();
    return countPixels(shown->image(), Theme::of(theme).text.rgb(),
                       QRect(inView(text.topLeft()), text.size()));
  };
  EXPECT_GT(dark(18), 0);
  EXPECT_EQ(dark(25), 0);
}

TEST_F(Tokens, AViolationIsATriangle) {
  open();
  const QRgb magenta = Theme::of(theme).violation.rgb();
  const auto near = [&](int token) {
    const QRectF text = area()->flow().textRect(token);
    return countPixels(shown->image(), magenta,
                       QRect(inView(text.topRight()) - QPoint(6, 8), QSize(12, 12)));
  };
  EXPECT_GT(near(Planted::kToken), 5);
  EXPECT_EQ(near(Planted::kToken + 1), 0);
}

TEST_F(Tokens, GesturesAreThoseOfAllViews) {
  open();
  movePointer(area()->viewport(), inArea(area()->flow().textRect(12).center()));
  ASSERT_TRUE(waitFor([&] { return selection.hovered().has_value(); }));
  EXPECT_EQ(*selection.hovered(),
            (Cursor{.layer = kPlanted.layer, .kvHead = kPlanted.kvHead, .token = 12}));
  click(12);
  EXPECT_EQ(selection.locked()->token, 12);
  click(15, Qt::ShiftModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{12, 15}}));
  click(14, Qt::ControlModifier);
  click(13, Qt::AltModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{12, 12}, {15, 15}}));
  QTest::mousePress(area()->viewport(), Qt::LeftButton, {},
                    inArea(area()->flow().textRect(2).center()));
  QMouseEvent move(QEvent::MouseMove, inArea(area()->flow().textRect(5).center()), QPointF(),
                   Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(area()->viewport(), &move);
  QTest::mouseRelease(area()->viewport(), Qt::LeftButton, {},
                      inArea(area()->flow().textRect(5).center()));
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{2, 5}}));
}

TEST_F(Tokens, SelectedAndLockedTokensAreMarked) {
  open();
  selection.lock({.layer = 1, .kvHead = 1, .token = 12});
  selection.select(SelectionSet::of_tokens(selection.shape(), Ranges{{20, 22}}));
  shown->refresh();
  const QRgb accent = Theme::of(theme).accent.rgb();
  const auto accents = [&](int token) {
    const QRectF text = area()->flow().textRect(token);
    return countPixels(shown->image(), accent, QRect(inView(text.topLeft()), text.size().toSize()));
  };
  EXPECT_GE(accents(21), 2 * static_cast<int>(area()->flow().textRect(21).width()));
  EXPECT_EQ(accents(25), 0);
  // The box of the lock goes round text and strips.
  const QRectF last = area()->flow().stripRect(12, 3);
  EXPECT_EQ(shown->image().pixel(inView(QPointF(last.center().x(), last.bottom() + 1))), accent);
}

TEST_F(Tokens, KeysMoveTheLockAndSelect) {
  open();
  QTest::keyClick(area(), Qt::Key_Right);
  EXPECT_EQ(selection.locked()->token, 0) << "the first key shows where the cursor is";
  QTest::keyClick(area(), Qt::Key_Right);
  EXPECT_EQ(selection.locked()->token, 1);
  QTest::keyClick(area(), Qt::Key_Right, Qt::ShiftModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{1, 2}}));
  QTest::keyClick(area(), Qt::Key_End);
  EXPECT_EQ(selection.locked()->token, Planted::kTokens - 1);
  QTest::keyClick(area(), Qt::Key_Up);
  const int above = selection.locked()->token;
  EXPECT_EQ(*area()->flow().lineOf(above), *area()->flow().lineOf(Planted::kTokens - 1) - 1);
  EXPECT_TRUE(area()->accessibleDescription().startsWith(
      QStringLiteral("token %1 “ w%1”: K bits ").arg(above)))
      << area()->accessibleDescription().toStdString();
}

TEST_F(Tokens, WordsAreTakenWholeWithTheirWorst) {
  auto info = plantedInfo();
  for (const int token : {11, 12}) info.token_text[static_cast<std::size_t>(token)] = "x";
  const qaq::test::SyntheticShape shape{.n_layers = 3,
                                        .n_heads = Planted::kHeads,
                                        .n_kv_heads = Planted::kKvHeads,
                                        .n_tokens = Planted::kTokens,
                                        .head_dim = Planted::kHeadDim};
  const auto capture = std::make_shared<MemoryCapture>(info, qaq::test::synthetic_arrays(shape, 7));
  analysis = analyse({.capture = capture, .params = fewBits(), .prefix = 34});
  selection.reset(info, kPlanted);
  view.setGranularity(Granularity::word);
  shown = std::make_unique<ShownView>(view, loadSlice(analysis, kPlanted), QSize(900, 500));
  int least = 99;
  for (int token = 10; token <= 12; ++token) {
    least = std::min<int>(least, analysis->replay->value.bits(1, 1, token));
  }
  for (int token = 10; token <= 12; ++token) {
    EXPECT_EQ(strip(token, 1), Palette::of(theme).bits(least));
  }
  click(11);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{10, 12}}));
  EXPECT_EQ(selection.locked()->token, 11);
  QTest::keyClick(area(), Qt::Key_Right);
  EXPECT_EQ(selection.locked()->token, 13);
  EXPECT_TRUE(view.summary().contains("each word: min of bits")) << view.summary().toStdString();
}

TEST_F(Tokens, StripsOfAllHeadsNameTheirReducer) {
  open();
  view.setAllHeads(true);
  shown->refresh();
  int least = 99;
  for (int layer = 0; layer < 3; ++layer) {
    for (int head = 0; head < 2; ++head) {
      least = std::min<int>(least, analysis->replay->value.bits(layer, head, 3));
    }
  }
  EXPECT_EQ(strip(3, 1), Palette::of(theme).bits(least));
  EXPECT_TRUE(view.summary().contains("all 3 layers × 2 KV heads: min of bits, max of outliers"))
      << view.summary().toStdString();
}

TEST_F(Tokens, TextIsFoundOverTokens) {
  open();
  view.find("w1 W2");
  EXPECT_EQ(selection.locked()->token, 1);
  EXPECT_EQ(view.foundText(), "1 of 1");
  view.find("w3");
  EXPECT_EQ(selection.locked()->token, 3);
  EXPECT_EQ(view.foundText(), "1 of 11") << "w3 and w30 to w39";
  view.findNext(-1);
  EXPECT_EQ(selection.locked()->token, 39);
  view.findNext();
  EXPECT_EQ(selection.locked()->token, 3);
  EXPECT_EQ(area()->flow().content()->text->shown[3], "w3");
  view.find("nowhere");
  EXPECT_EQ(view.foundText(), "not found");
  EXPECT_EQ(selection.locked()->token, 3) << "stays";
}

TEST_F(Tokens, AFilterLeavesItsTokensAlone) {
  open();
  selection.select(SelectionSet::of_tokens(selection.shape(), Ranges{{5, 7}, {20, 20}}));
  selection.pushFilter();
  shown->refresh();
  EXPECT_EQ(area()->flow().shownCount(), 4);
  EXPECT_FALSE(area()->flow().lineOf(8));
  selection.lock({.token = 7});
  QTest::keyClick(area(), Qt::Key_Right);
  EXPECT_EQ(selection.locked()->token, 20) << "over what is left out";
  selection.clearFilters();
  EXPECT_EQ(area()->flow().shownCount(), Planted::kTokens);
}

TEST_F(Tokens, OnlyLinesInSightAreLaidOut) {
  const qaq::test::SyntheticShape shape{
      .n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 100000, .head_dim = 2};
  CaptureInfo info = qaq::test::synthetic_info(shape, 1);
  nameTokens(info);
  info.profile = AttentionProfile::none;
  info.has_queries = false;
  info.query_token.clear();
  MemoryCapture::Arrays arrays;
  arrays.key.emplace_back(Shape<3>{1, 100000, 2});
  arrays.value.emplace_back(Shape<3>{1, 100000, 2});
  ScopeParams params;
  set_parameter(params, "use_attentions", false);
  set_parameter(params, "outliers_ratio", 0.0);
  const auto capture = std::make_shared<MemoryCapture>(info, std::move(arrays));
  analysis = analyse({.capture = capture, .params = params});
  selection.reset(info, {});
  shown = std::make_unique<ShownView>(view, loadSlice(analysis, {}), QSize(900, 300));
  EXPECT_GT(area()->flow().lineCount(), 5000);
  EXPECT_GT(area()->flow().laidOutLines(), 1);
  EXPECT_LE(area()->flow().laidOutLines(), 6);
  selection.lock({.token = 99000});
  shown->refresh();
  EXPECT_GT(area()->verticalScrollBar()->value(), 100000) << "brought into sight";
  EXPECT_LE(area()->flow().laidOutLines(), 6);
  EXPECT_NE(strip(99000, 0), Theme::of(theme).surface.rgb());
}

TEST_F(Tokens, NoTextOverlapsOrLeavesThePage) {
  for (const int width : {300, 620, 1280}) {
    open(34, {width, 400});
    const TokenFlow& flow = area()->flow();
    for (int token = 0; token < Planted::kTokens; ++token) {
      const QRectF text = flow.textRect(token);
      EXPECT_GE(text.left(), TokenFlow::kMargin);
      EXPECT_LE(text.right(), area()->viewport()->width());
      if (token > 0 && flow.lineOf(token) == flow.lineOf(token - 1)) {
        EXPECT_GT(text.left(), flow.textRect(token - 1).right());
      }
    }
  }
}

TEST_F(Tokens, CompactIsTextAndStripsAlone) {
  open(34, {900, 92});
  view.setCompact(true);
  shown->refresh();
  EXPECT_GE(area()->height(), 88);
  view.setCompact(false);
  shown->refresh();
  EXPECT_LT(area()->height(), 75);
}

TEST_F(Tokens, RowsAreWhatTheStripsShow) {
  open();
  const auto table = view.table();
  ASSERT_TRUE(table);
  EXPECT_EQ(table->n_rows, Planted::kTokens);
  std::int64_t token = 0;
  table->for_each_row([&](std::span<const Cell> row) {
    EXPECT_EQ(std::get<std::int64_t>(row[0]), token);
    if (token >= 34) {
      EXPECT_TRUE(std::holds_alternative<std::monostate>(row[2]));
    } else {
      EXPECT_EQ(std::get<std::int64_t>(row[2]), analysis->replay->key.bits(1, 1, token));
    }
    EXPECT_EQ(std::get<std::int64_t>(row.back()), token == Planted::kToken ? 1 : 0);
    ++token;
  });
  EXPECT_EQ(token, Planted::kTokens);
}

TEST_F(Tokens, AMessageTakesThePlaceOfTheText) {
  open();
  view.setMessage("No capture.");
  EXPECT_EQ(view.error(), "No capture.");
  EXPECT_EQ(view.summary(), "No capture.");
  view.show(slice);
  shown->refresh();
  EXPECT_TRUE(view.error().isEmpty());
}

}  // namespace
}  // namespace qaq::views
