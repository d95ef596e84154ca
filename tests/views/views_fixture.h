#pragma once

#include <QApplication>
#include <QDeadlineTimer>
#include <QImage>
#include <QTest>
#include <cmath>
#include <functional>
#include <memory>

#include "core/base/text.h"
#include "core/replay/memory_capture.h"
#include "tests/support/test_captures.h"
#include "views/models/analysis.h"
#include "views/plots/map_view.h"

namespace qaq::views::test {

/// A capture made to be looked at: 4 layers of which layer 2 was not captured, 4 query heads on 2
/// KV heads, 40 tokens. Attention is even (every token of row s has 1 / (s + 1)), apart from one
/// jump.
struct Planted {
  static constexpr int kTokens = 40, kHeadDim = 16, kLayers = 4, kHeads = 4, kKvHeads = 2;
  static constexpr int kLayer = 1;  ///< of the jump; also its index among the captured layers
  static constexpr int kHead = 3;   ///< query head of the jump: KV head 1
  static constexpr int kStep = 30, kToken = 7;
};

/// " w0", " w1" ...
inline void nameTokens(CaptureInfo& info) {
  info.token_text.clear();
  for (int token = 0; token < info.n_tokens; ++token) info.token_text.push_back(cat(" w", token));
  info.token_bytes = info.token_text;
}

inline CaptureInfo plantedInfo() {
  const qaq::test::SyntheticShape shape{.n_layers = Planted::kLayers,
                                        .n_heads = Planted::kHeads,
                                        .n_kv_heads = Planted::kKvHeads,
                                        .n_tokens = Planted::kTokens,
                                        .head_dim = Planted::kHeadDim};
  CaptureInfo info = qaq::test::synthetic_info(shape);
  info.layers = {0, 1, 3};
  info.name = "planted.h5";
  nameTokens(info);
  return info;
}

inline SharedCapture plantedCapture() {
  const qaq::test::SyntheticShape shape{.n_layers = 3,
                                        .n_heads = Planted::kHeads,
                                        .n_kv_heads = Planted::kKvHeads,
                                        .n_tokens = Planted::kTokens,
                                        .head_dim = Planted::kHeadDim};
  MemoryCapture::Arrays arrays = qaq::test::synthetic_arrays(shape, 7);
  for (NdArray<float, 3>& scores : arrays.attention) {
    for (int head = 0; head < Planted::kHeads; ++head) {
      for (int s = 0; s < Planted::kTokens; ++s) {
        for (int t = 0; t <= s; ++t) scores(head, s, t) = 1.0f / static_cast<float>(s + 1);
      }
    }
  }
  arrays.attention[1](Planted::kHead, Planted::kStep, Planted::kToken) = 0.9f;
  return std::make_shared<MemoryCapture>(plantedInfo(), std::move(arrays));
}

/// One layer, one head, 12 tokens.
inline SharedCapture smallCapture() {
  const qaq::test::SyntheticShape shape{
      .n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 12};
  CaptureInfo info = qaq::test::synthetic_info(shape);
  info.name = "small.h5";
  nameTokens(info);
  return std::make_shared<MemoryCapture>(info, qaq::test::synthetic_arrays(shape, 5));
}

inline SharedAnalysis plantedAnalysis(const ScopeParams& params = {}, std::int64_t prefix = 0) {
  return analyse({.capture = plantedCapture(), .params = params, .prefix = prefix});
}

/// A slice of the planted capture, with fewer errors, held against its default setting.
inline SharedSlice comparedSlice() {
  const SharedCapture capture = plantedCapture();
  ScopeParams tight;
  tight.qaq.key.target_quantization_error = tight.qaq.value.target_quantization_error = 0.01;
  const auto a = analyse({.capture = capture, .params = {}, .prefix = 30});
  const auto b = analyse({.capture = capture, .params = tight, .prefix = 30});
  return compared(loadSlice(b, {.layer = 1, .kvHead = 1}, {}, {QStringLiteral("loose"), a}));
}

/// Lets the window's thread work until `done`; false after a minute.
inline bool waitFor(const std::function<bool()>& done) {
  const QDeadlineTimer deadline(60000);
  while (!done()) {
    if (deadline.hasExpired()) return false;
    QApplication::processEvents(QEventLoop::AllEvents, 20);
    QTest::qSleep(1);
  }
  return true;
}

/// Gives a window the keyboard; on a real display that takes the display's time.
inline bool takeKeyboard(QWidget& window) {
  window.activateWindow();
  return waitFor([&window] { return window.isActiveWindow(); });
}

/// Moves the pointer onto a widget that is shown, and waits until the display says so.
inline void movePointer(QWidget* widget, const QPoint& position) {
  QTest::mouseMove(widget, position);
  waitFor([&] { return QCursor::pos() == widget->mapToGlobal(position); });
  QApplication::processEvents();
}

/// A view on the screen, settled, as a picture.
class ShownView {
 public:
  ShownView(PlotView& view, const SharedSlice& slice, const QSize& size = {1200, 500},
            ThemeKind theme = ThemeKind::light)
      : m_view(view) {
    view.setTheme(Theme::of(theme));
    view.resize(size);
    view.QWidget::show();
    view.show(slice);
    refresh();
  }

  void refresh() {
    // Twice: a picture that is whole may have been asked for before the last resize.
    for (int i = 0; i < 2; ++i) {
      waitFor([this] {
        QApplication::processEvents();
        return m_view.isSettled();
      });
    }
    m_image = m_view.grab().toImage();
  }

  QRgb at(const MapPane* pane, const QPointF& position) const {
    return m_image.pixel(pane->mapTo(&m_view, position.toPoint()));
  }
  QRgb cell(const MapPane* pane, std::int64_t row, std::int64_t column) const {
    return at(pane, pane->cellCentre(row, column));
  }
  const QImage& image() const { return m_image; }

 private:
  PlotView& m_view;
  QImage m_image;
};

/// Pixels of `image` in `area` that are exactly `color`.
inline int countPixels(const QImage& image, QRgb color, QRect area = {}) {
  if (area.isNull()) area = image.rect();
  int n = 0;
  for (int y = area.top(); y <= area.bottom(); ++y) {
    for (int x = area.left(); x <= area.right(); ++x) {
      n += (image.pixel(x, y) & 0xffffff) == (color & 0xffffff);
    }
  }
  return n;
}

}  // namespace qaq::views::test
