#pragma once

#include "views/plots/plot_view.h"

class QVBoxLayout;

namespace qaq::views {

/// A view that is painted as a whole: text, bars. The same paint() serves screen and figures.
class PaintedView : public PlotView {
  Q_OBJECT

 public:
  explicit PaintedView(SelectionModel* selection, QWidget* parent = nullptr);

  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setUpdating(bool updating) override;
  QString error() const override { return m_message; }
  void paintFigure(QCPPainter* painter, const QSize& size) override;
  QString summary() const override { return m_message; }

 protected:
  /// Paints what is shown into (0, 0) to `size`, on the surface.
  virtual void paint(QPainter* painter, const QSize& size) = 0;
  /// There is something to paint, anew.
  void pictureChanged();
  /// Above the picture: switches of the view.
  void addControls(QWidget* controls);
  /// Where paint()'s picture lies on the view.
  QRect pictureArea() const;
  const Theme& theme() const { return m_theme; }

  void paintEvent(QPaintEvent* event) override;

 private:
  QVBoxLayout* m_column;
  QWidget* m_controls = nullptr;
  QString m_message;
  bool m_updating = false;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
