#include "views/panels/slice_bar.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>

namespace qaq::views {

SliceBar::SliceBar(SelectionModel* selection, QWidget* parent)
    : QWidget(parent), m_selection(selection) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(6);
  m_side = addList(tr("Cache"), tr("Cache of the outlier map (K, V)"));
  m_side->addItems({QStringLiteral("K"), QStringLiteral("V")});
  m_layer = addList(tr("Layer"), tr("Layer of the outlier and attention maps ([ and ])"));
  m_head = addList(tr("KV"), tr("KV head of the outlier and attention maps ({ and })"));
  // Two digits: a wide list would push the pages' names away.
  for (QComboBox* narrow : {m_side, m_layer, m_head}) narrow->setFixedWidth(54);
  m_queryHead = addList(tr("Query"), tr("Query heads whose attention is shown"));
  for (QLabel* name : findChildren<QLabel*>()) {
    if (name->buddy() == m_side || name->buddy() == m_queryHead) m_sparedNames.push_back(name);
  }
  setEnabled(false);
  connect(selection, &SelectionModel::sliceChanged, this, &SliceBar::refresh);
}

QComboBox* SliceBar::addList(const QString& label, const QString& help) {
  auto* list = new QComboBox;
  list->setToolTip(help);
  list->setAccessibleName(label);
  list->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  auto* text = new QLabel(label);
  text->setBuddy(list);
  layout()->addWidget(text);
  layout()->addWidget(list);
  connect(list, &QComboBox::activated, this, &SliceBar::choose);
  return list;
}

void SliceBar::fit(int width) {
  int all = sizeHint().width();
  for (const QLabel* name : m_sparedNames) {
    if (name->isHidden()) all += name->sizeHint().width() + layout()->spacing();
  }
  for (QLabel* name : m_sparedNames) name->setVisible(all <= width);
}

void SliceBar::setCapture(const CaptureInfo& info) {
  m_groupSize = static_cast<int>(info.shape.group_size());
  m_layer->clear();
  for (const std::int32_t layer : info.layers) m_layer->addItem(QString::number(layer));
  m_head->clear();
  for (int head = 0; head < info.shape.n_kv_heads; ++head) m_head->addItem(QString::number(head));
  setEnabled(true);
  refresh();
}

void SliceBar::fillQueryHeads() {
  const Slice& slice = m_selection->slice();
  const int first = slice.kvHead * m_groupSize;
  m_queryHead->clear();
  if (m_groupSize > 1) {
    m_queryHead->addItem(tr("max of %1–%2").arg(first).arg(first + m_groupSize - 1), Slice::kGroup);
  }
  for (int head = first; head < first + m_groupSize; ++head) {
    m_queryHead->addItem(QString::number(head), m_groupSize > 1 ? head : Slice::kGroup);
  }
  m_queryHead->setCurrentIndex(std::max(0, m_queryHead->findData(slice.queryHead)));
}

void SliceBar::refresh() {
  const Slice& slice = m_selection->slice();
  m_side->setCurrentIndex(slice.side == CacheSide::key ? 0 : 1);
  m_layer->setCurrentIndex(slice.layer);
  m_head->setCurrentIndex(slice.kvHead);
  fillQueryHeads();
}

void SliceBar::choose() {
  Slice slice = m_selection->slice();
  slice.side = m_side->currentIndex() == 0 ? CacheSide::key : CacheSide::value;
  slice.layer = m_layer->currentIndex();
  slice.kvHead = m_head->currentIndex();
  slice.queryHead = m_queryHead->currentData().toInt();
  m_selection->setSlice(slice);
}

}  // namespace qaq::views
