#include "views/shell/rescale.h"

#include <QApplication>
#include <QFormLayout>
#include <QGridLayout>
#include <QHeaderView>
#include <QToolBar>
#include <qcustomplot.h>

#include "views/plots/px.h"

namespace qaq::views {
namespace {

/// Multiplies sizes. A whole number that was multiplied and rounded comes back by the inverse,
/// where that makes it smaller again.
class Rescaler {
 public:
  explicit Rescaler(double by) : m_by(by) {}

  QFont font(QFont font) const {
    if (font.pixelSize() > 0) {
      font.setPixelSize(whole(font.pixelSize()));
    } else {
      font.setPointSizeF(font.pointSizeF() * m_by);
    }
    return font;
  }

  void widget(QWidget* widget) const {
    if (widget->testAttribute(Qt::WA_SetFont)) widget->setFont(font(widget->font()));
    if (!widget->isWindow()) bounds(widget);
    if (auto* bar = qobject_cast<QToolBar*>(widget)) bar->setIconSize(size(bar->iconSize()));
    if (auto* header = qobject_cast<QHeaderView*>(widget)) this->header(header);
    if (auto* plot = qobject_cast<QCustomPlot*>(widget)) this->plot(plot);
  }

  void layout(QLayout* layout) const {
    if (auto* box = qobject_cast<QBoxLayout*>(layout)) {
      box->setSpacing(whole(box->spacing()));
    } else if (auto* grid = qobject_cast<QGridLayout*>(layout)) {
      grid->setHorizontalSpacing(whole(grid->horizontalSpacing()));
      grid->setVerticalSpacing(whole(grid->verticalSpacing()));
    } else if (auto* form = qobject_cast<QFormLayout*>(layout)) {
      form->setHorizontalSpacing(whole(form->horizontalSpacing()));
      form->setVerticalSpacing(whole(form->verticalSpacing()));
    } else {
      return;  // of docks and the window
    }
    layout->setContentsMargins(margins(layout->contentsMargins()));
  }

 private:
  int whole(int px) const { return qRound(px * m_by); }
  QSize size(const QSize& px) const { return {whole(px.width()), whole(px.height())}; }
  QMargins margins(const QMargins& px) const {
    return {whole(px.left()), whole(px.top()), whole(px.right()), whole(px.bottom())};
  }
  int bound(int px) const { return px >= QWIDGETSIZE_MAX ? px : whole(px); }

  template <class Bounded>
  void bounds(Bounded* of) const {
    const QSize least = of->minimumSize(), most = of->maximumSize();
    of->setMinimumSize(0, 0);  // it pushes the other one
    of->setMaximumSize(bound(most.width()), bound(most.height()));
    of->setMinimumSize(size(least));
  }

  void header(QHeaderView* header) const {
    QList<int> sections;
    for (int i = 0; i < header->count(); ++i) sections.push_back(header->sectionSize(i));
    header->setDefaultSectionSize(whole(header->defaultSectionSize()));
    if (header->orientation() == Qt::Vertical) return;  // rows are of one height
    for (int i = 0; i < sections.size(); ++i) header->resizeSection(i, whole(sections[i]));
  }

  void plot(QCustomPlot* plot) const {
    for (QCPLayoutElement* element : plot->plotLayout()->elements(true)) {
      if (!element) continue;  // an empty place of a grid
      bounds(element);
      element->setMinimumMargins(margins(element->minimumMargins()));
      element->setMargins(margins(element->margins()));
      if (auto* grid = qobject_cast<QCPLayoutGrid*>(element)) {
        grid->setRowSpacing(whole(grid->rowSpacing()));
        grid->setColumnSpacing(whole(grid->columnSpacing()));
      }
      if (auto* rect = qobject_cast<QCPAxisRect*>(element)) {
        for (QCPAxis* each : rect->axes()) axis(each);
      }
    }
  }

  void axis(QCPAxis* axis) const {
    axis->setTickLabelFont(font(axis->tickLabelFont()));
    axis->setLabelFont(font(axis->labelFont()));
    axis->setPadding(whole(axis->padding()));
    axis->setLabelPadding(whole(axis->labelPadding()));
    axis->setTickLabelPadding(whole(axis->tickLabelPadding()));
    axis->setTickLength(whole(axis->tickLengthIn()), whole(axis->tickLengthOut()));
    axis->setSubTickLength(whole(axis->subTickLengthIn()), whole(axis->subTickLengthOut()));
  }

  double m_by;
};

}  // namespace

void rescale(QWidget* root, double scale) {
  const double by = scale / px(1);
  if (by == 1) return;
  const Rescaler rescaler(by);
  const auto widgets = root->findChildren<QWidget*>();
  const auto layouts = root->findChildren<QLayout*>();
  screenScale() = scale;
  rescaler.widget(root);
  for (QWidget* widget : widgets) rescaler.widget(widget);
  for (QLayout* layout : layouts) rescaler.layout(layout);
  // Of all that has none of its own.
  if (root->isWindow()) QApplication::setFont(rescaler.font(QApplication::font()));
}

}  // namespace qaq::views
