#pragma once

#include <qcustomplot.h>

#include "views/plots/theme.h"

namespace qaq::views {

/// Paragraphs above or below a chart, broken where the width asks for it, so that nothing is cut.
class ChartText : public QCPLayoutElement {
  Q_OBJECT

 public:
  struct Paragraph {
    QString text;
    int px = Theme::kLabelPx;
    bool bold = false;
    QColor color;
  };

  explicit ChartText(QCustomPlot* plot);
  void setParagraphs(const QList<Paragraph>& paragraphs) { m_paragraphs = paragraphs; }
  /// px that the text needs at this width, px.
  int heightFor(int width) const;
  /// Takes that height.
  void fit(int width);

 protected:
  void draw(QCPPainter* painter) override;
  void applyDefaultAntialiasingHint(QCPPainter* painter) const override;

 private:
  static constexpr int kFlags = Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap;

  QList<Paragraph> m_paragraphs;
};

}  // namespace qaq::views
