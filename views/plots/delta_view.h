#pragma once

#include <QTableWidget>

#include "views/plots/plot_view.h"

class QLabel;
class QStackedLayout;

namespace qaq::views {

/// Metrics of A and B as rows: both, B - A, what that is of A, its interval, and whether B is
/// better, worse or the same; grey where the difference is inside the noise. Beside them the
/// settings that differ.
class DeltaView : public PlotView {
  Q_OBJECT

 public:
  enum Column { kMetric, kA, kB, kAbsolute, kRelative, kInterval, kWord, kColumns };

  explicit DeltaView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("delta"); }
  QString title() const override { return tr("Delta table"); }
  bool isOfBoth() const override { return true; }
  void show(const SharedSlice& slice) override;
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setUpdating(bool updating) override;
  QString error() const override { return m_message; }
  QSize figureSize() const override;
  void paintFigure(QCPPainter* painter, const QSize& size) override;
  std::optional<Table> table() const override;
  QString summary() const override;

  QTableWidget* metrics() const { return m_metrics; }
  QTableWidget* settings() const { return m_settings; }

 private:
  void fill();
  void color();
  void paintRows(QCPPainter* painter, const QTableWidget* rows, const QRectF& area) const;

  QStackedLayout* m_stack;
  QLabel* m_text;
  QTableWidget* m_metrics;
  QTableWidget* m_settings;
  QLabel* m_equal;
  std::shared_ptr<const Comparison> m_comparison;
  QString m_message;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
