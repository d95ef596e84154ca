#include "views/panels/slices_panel.h"

#include <QCoreApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>
#include <QSignalBlocker>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include "views/panels/selection_bar.h"

namespace qaq::views {
namespace {

constexpr int kRowHeight = 23;

}  // namespace

SlicesPanel::SlicesPanel(SliceBook* book, SelectionModel* selection, QWidget* parent)
    : QWidget(parent),
      m_book(book),
      m_selection(selection),
      m_list(new QTreeWidget),
      m_keep(new QToolButton) {
  setAccessibleName(tr("Slices"));
  setObjectName(QStringLiteral("slicesPanel"));
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(8, 6, 6, 6);
  column->setSpacing(4);
  column->addWidget(m_list, 1);
  column->addWidget(m_keep, 0, Qt::AlignRight);
  m_keep->setText(tr("Keep selection"));
  m_keep->setToolTip(tr("Keep the selected set as a slice"));
  m_list->setColumnCount(2);
  m_list->setHeaderHidden(true);
  m_list->setRootIsDecorated(false);
  m_list->setUniformRowHeights(true);
  m_list->setFrameShape(QFrame::NoFrame);
  m_list->setAccessibleName(tr("Slices"));
  m_list->setContextMenuPolicy(Qt::CustomContextMenu);
  m_list->setEditTriggers(QAbstractItemView::EditKeyPressed);
  m_list->header()->setStretchLastSection(false);
  m_list->header()->setSectionResizeMode(0, QHeaderView::Stretch);
  m_list->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
  connect(m_keep, &QToolButton::clicked, book, [book] { book->keepSelected(); });
  connect(m_list, &QTreeWidget::itemClicked, this,
          [this](QTreeWidgetItem* item) { m_book->choose(m_list->indexOfTopLevelItem(item)); });
  connect(m_list, &QTreeWidget::itemActivated, this,
          [this](QTreeWidgetItem* item) { m_book->choose(m_list->indexOfTopLevelItem(item)); });
  connect(m_list, &QTreeWidget::itemChanged, this, [this](QTreeWidgetItem* item, int) {
    // The list is made anew: not while it is still at work.
    const int index = m_list->indexOfTopLevelItem(item);
    const QString name = item->text(0);
    QMetaObject::invokeMethod(
        this,
        [this, index, name] {
          m_book->rename(index, name);
          refresh();
        },
        Qt::QueuedConnection);
  });
  connect(m_list, &QTreeWidget::customContextMenuRequested, this, &SlicesPanel::openMenu);
  connect(book, &SliceBook::changed, this, &SlicesPanel::refresh);
  connect(selection, &SelectionModel::selectionChanged, this, &SlicesPanel::showChosen);
  refresh();
}

void SlicesPanel::refresh() {
  const QSignalBlocker block(m_list);
  m_list->clear();
  for (const NamedSlice& slice : m_book->slices()) {
    const QString name = slice.automatic ? QCoreApplication::translate("Slices", slice.name.c_str())
                                         : QString::fromStdString(slice.name);
    auto* item = new QTreeWidgetItem(
        {slice.automatic ? tr("%1 (auto)").arg(name) : name, sizeText(slice.cells)});
    item->setToolTip(0, slice.help.empty()
                            ? tr("kept by you; F2 renames, Del deletes")
                            : QCoreApplication::translate("Slices", slice.help.c_str()));
    item->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
    item->setForeground(1, m_theme.muted);
    item->setSizeHint(0, QSize(0, kRowHeight));
    if (!slice.automatic) item->setFlags(item->flags() | Qt::ItemIsEditable);
    m_list->addTopLevelItem(item);
  }
  showChosen();
}

void SlicesPanel::showChosen() {
  const QSignalBlocker block(m_list);
  const auto chosen = m_book->chosen();
  m_list->setCurrentItem(chosen ? m_list->topLevelItem(*chosen) : nullptr);
  m_keep->setEnabled(!m_selection->selected().empty() && !chosen);
}

void SlicesPanel::openMenu(const QPoint& at) {
  QTreeWidgetItem* item = m_list->itemAt(at);
  if (item == nullptr) return;
  const int index = m_list->indexOfTopLevelItem(item);
  const SelectionSet cells = m_book->slices()[static_cast<std::size_t>(index)].cells;
  const bool own = item->flags() & Qt::ItemIsEditable;
  QMenu menu(this);
  const auto add = [&](const QString& text, auto&& act) { return menu.addAction(text, this, act); };
  const auto combine = [this, cells](SelectOp op) {
    m_selection->select(m_selection->selected().combined(op, cells));
  };
  add(tr("Select"), [this, index] { m_book->choose(index); });
  add(tr("Add to selection"), [combine] { combine(SelectOp::add); });
  add(tr("Intersect with selection"), [combine] { combine(SelectOp::intersect); });
  add(tr("Remove from selection"), [combine] { combine(SelectOp::remove); });
  menu.addSeparator();
  add(tr("Filter to it"), [this, index] {
    m_book->choose(index);
    m_selection->pushFilter();
  });
  menu.addSeparator();
  add(tr("Rename"), [this, item] { m_list->editItem(item, 0); })->setEnabled(own);
  add(tr("Delete"), [this, index] { m_book->remove(index); })->setEnabled(own);
  menu.exec(m_list->viewport()->mapToGlobal(at));
}

void SlicesPanel::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Delete && m_list->currentItem() != nullptr) {
    m_book->remove(m_list->indexOfTopLevelItem(m_list->currentItem()));
    return;
  }
  QWidget::keyPressEvent(event);
}

void SlicesPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  setStyleSheet(QStringLiteral("#slicesPanel { background: %1; } QTreeWidget { background: %1; "
                               "color: %2; } QTreeWidget::item:selected { background: %3; color: "
                               "%2; }")
                    .arg(theme.surface.name(), theme.text.name(), theme.accentSoft.name()));
  refresh();
}

}  // namespace qaq::views
