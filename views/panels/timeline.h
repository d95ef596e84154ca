#pragma once

#include <QWidget>

#include "views/models/analysis.h"
#include "views/plots/theme.h"

class QLabel;
class QToolButton;

namespace qaq::views {

/// The slider of the timeline, with a triangle over each step in which importance jumped.
class TimelineTrack : public QWidget {
  Q_OBJECT

 public:
  explicit TimelineTrack(QWidget* parent = nullptr);

  void setRange(int first, int last);
  void setStep(int step);
  void setMarks(const QList<int>& steps);
  void setTheme(const Theme& theme);
  int step() const { return m_step; }
  const QList<int>& marks() const { return m_marks; }
  /// Pixels of the widget.
  double xOf(int step) const;

 signals:
  /// `isFinal` is false while the handle is dragged.
  void moved(int step, bool isFinal);

 protected:
  QSize sizeHint() const override { return {wholePx(200), wholePx(30)}; }
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  int stepAt(double x) const;
  void move(int step, bool isFinal);

  int m_first = 1, m_last = 1, m_step = 1;
  QList<int> m_marks;
  Theme m_theme = Theme::of(ThemeKind::light);
};

/// Scrubs through decoding: at step s the model reads the quantized cache of the s tokens before
/// it. The last place is the whole capture quantized.
class Timeline : public QWidget {
  Q_OBJECT

 public:
  explicit Timeline(QWidget* parent = nullptr);

  /// `prefix` as in AnalysisRequest: 0 is all.
  void setCapture(const CaptureInfo& info, std::int64_t prefix);
  void setPrefix(std::int64_t prefix);
  /// The violations of the slice, whose steps are marked.
  void setViolations(const std::vector<Violation>& violations);
  void setTheme(const Theme& theme);
  /// By `by` steps, stopping at the ends.
  void step(int by);
  QString text() const;
  TimelineTrack* track() const { return m_track; }

 signals:
  void prefixChosen(std::int64_t prefix, bool isFinal);

 private:
  void choose(int step, bool isFinal);
  void refresh();

  int m_tokens = 1;
  QLabel* m_label;
  QToolButton* m_back;
  QToolButton* m_next;
  TimelineTrack* m_track;
};

}  // namespace qaq::views
