#include "views/panels/runs_panel.h"

#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QPixmap>
#include <QTreeWidget>
#include <QVBoxLayout>

#include "core/analysis/chart.h"
#include "views/plots/number_format.h"
#include "views/plots/run_label.h"

namespace qaq::views {
namespace {

enum Column { kRun, kRatio, kLoss };

QString metricText(const RunSummary& run, const char* name) {
  const auto found = run.metrics.find(name);
  return found == run.metrics.end() ? QStringLiteral("–") : numberText(found->second);
}

}  // namespace

namespace {

// A letter in its colour, filled or hollow as the signs of its lines are.
QIcon letterIcon(QLatin1Char letter, int category, const Theme& theme) {
  constexpr int kSize = 16, kScale = 3;
  QPixmap picture(kSize * kScale, kSize * kScale);
  picture.setDevicePixelRatio(kScale);
  picture.fill(Qt::transparent);
  QPainter painter(&picture);
  painter.setRenderHint(QPainter::Antialiasing);
  const QColor color(theme.palette().categories()[static_cast<std::size_t>(category)].color);
  const bool hollow = category == kComparedB;
  painter.setPen(QPen(color, 1.5));
  painter.setBrush(hollow ? theme.surface : color);
  const QRectF box(1, 1, kSize - 2, kSize - 2);
  if (hollow) {
    painter.drawRect(box);
  } else {
    painter.drawEllipse(box);
  }
  painter.setPen(hollow ? color : Palette::inkOn(color.rgb()));
  painter.setFont(Theme::font(10, true));
  painter.drawText(box, Qt::AlignCenter, QString(letter));
  QIcon icon(picture);
  icon.addPixmap(picture, QIcon::Selected);  // not tinted
  return icon;
}

}  // namespace

RunsPanel::RunsPanel(RunList* runs, QWidget* parent)
    : QWidget(parent),
      m_runs(runs),
      m_name(new QLabel),
      m_facts(new QLabel),
      m_list(new QTreeWidget) {
  setObjectName(QStringLiteral("runsPanel"));
  setAccessibleName(tr("Captures & runs"));
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(10, 8, 6, 6);
  column->setSpacing(4);
  m_name->setFont(Theme::font(Theme::kTitlePx, true));
  m_facts->setFont(Theme::font(Theme::kTickPx));
  m_facts->setWordWrap(true);
  m_list->setHeaderLabels({tr("Run"), tr("packed ×"), tr("error")});
  m_list->headerItem()->setToolTip(kRatio, tr("16 bits a value over the packed bytes"));
  m_list->headerItem()->setToolTip(
      kLoss, tr("Mean squared error of the attention's outputs, this layer's alone"));
  m_list->setRootIsDecorated(false);
  m_list->setUniformRowHeights(true);
  m_list->setFrameShape(QFrame::NoFrame);
  m_list->setContextMenuPolicy(Qt::CustomContextMenu);
  m_list->setTextElideMode(Qt::ElideMiddle);
  m_list->setAccessibleName(tr("Runs"));
  m_list->header()->setStretchLastSection(false);
  m_list->header()->setSectionResizeMode(kRun, QHeaderView::Stretch);
  for (const int narrow : {kRatio, kLoss}) {
    m_list->header()->setSectionResizeMode(narrow, QHeaderView::ResizeToContents);
    m_list->headerItem()->setTextAlignment(narrow, Qt::AlignRight | Qt::AlignVCenter);
  }
  for (QWidget* widget : std::initializer_list<QWidget*>{m_name, m_facts}) {
    column->addWidget(widget);
  }
  column->addWidget(m_list, 1);
  connect(runs, &RunList::changed, this, &RunsPanel::refresh);
  connect(m_list, &QTreeWidget::itemClicked, this,
          [this](QTreeWidgetItem* item) { emit runChosen(m_list->indexOfTopLevelItem(item)); });
  connect(m_list, &QTreeWidget::itemActivated, this,
          [this](QTreeWidgetItem* item) { emit runChosen(m_list->indexOfTopLevelItem(item)); });
  connect(m_list, &QTreeWidget::itemChanged, this, [this](QTreeWidgetItem* item, int cell) {
    if (m_filling || cell != kRun) return;
    emit renameRequested(m_list->indexOfTopLevelItem(item), item->text(kRun));
  });
  connect(m_list, &QWidget::customContextMenuRequested, this, &RunsPanel::showMenu);
}

void RunsPanel::setCapture(const CaptureInfo& info) {
  m_name->setText(QString::fromStdString(info.name));
  const QString layers =
      info.n_captured_layers() == info.shape.n_layers
          ? tr("%1 layers").arg(info.shape.n_layers)
          : tr("%1 of %2 layers").arg(info.n_captured_layers()).arg(info.shape.n_layers);
  m_facts->setText(tr("%1 · %2 tokens\n%3 · %4 KV of %5 heads")
                       .arg(QString::fromStdString(info.model_name))
                       .arg(info.n_tokens)
                       .arg(layers)
                       .arg(info.shape.n_kv_heads)
                       .arg(info.shape.n_heads));
}

void RunsPanel::setReference(int index, bool comparing) {
  m_reference = index;
  m_comparing = comparing;
  markLetters();
}

void RunsPanel::markLetters() {
  m_filling = true;
  for (int i = 0; i < m_list->topLevelItemCount(); ++i) {
    QTreeWidgetItem* item = m_list->topLevelItem(i);
    const bool isA = m_comparing && i == m_reference;
    const bool isB = m_comparing && i == m_runs->current();
    item->setIcon(kRun, isA   ? letterIcon(QLatin1Char('A'), kComparedA, m_theme)
                        : isB ? letterIcon(QLatin1Char('B'), kComparedB, m_theme)
                              : QIcon());
    item->setData(kRun, Qt::AccessibleDescriptionRole,
                  isA && isB ? tr("A and B")
                  : isA      ? tr("A")
                  : isB      ? tr("B")
                             : QString());
  }
  m_filling = false;
}

void RunsPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  markLetters();
  m_facts->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
}

void RunsPanel::refresh() {
  m_filling = true;
  m_list->clear();
  for (const RunList::Run& run : m_runs->runs()) {
    auto* item = new QTreeWidgetItem(m_list);
    item->setText(kRun, runLabel(run.summary));
    item->setText(kRatio, metricText(run.summary, "ratio_packed"));
    item->setText(kLoss, metricText(run.summary, "output_error"));
    item->setToolTip(kRun, run.isStored
                               ? tr("%1, kept in the capture's file").arg(runLabel(run.summary))
                               : runLabel(run.summary));
    for (const int number : {kRatio, kLoss}) {
      item->setTextAlignment(number, Qt::AlignRight | Qt::AlignVCenter);
    }
    if (!run.isStored) item->setFlags(item->flags() | Qt::ItemIsEditable);
  }
  if (QTreeWidgetItem* item = m_list->topLevelItem(m_runs->current())) {
    m_list->setCurrentItem(item);
    m_list->scrollToItem(item);
  }
  m_filling = false;
  markLetters();
}

void RunsPanel::showMenu(const QPoint& at) {
  QTreeWidgetItem* item = m_list->itemAt(at);
  if (!item) return;
  const int index = m_list->indexOfTopLevelItem(item);
  const bool stored = m_runs->runs()[static_cast<std::size_t>(index)].isStored;
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(tr("Compare with this run"), this,
                  [this, index] { emit compareRequested(index); });
  menu->addSeparator();
  QAction* rename = menu->addAction(
      tr("Rename"), this, [this, index] { m_list->editItem(m_list->topLevelItem(index), kRun); });
  QAction* remove = menu->addAction(tr("Take off the list"), this,
                                    [this, index] { emit removeRequested(index); });
  rename->setEnabled(!stored);
  remove->setEnabled(!stored);
  menu->popup(m_list->viewport()->mapToGlobal(at));
}

}  // namespace qaq::views
