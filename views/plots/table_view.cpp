#include "views/plots/table_view.h"

#include <QClipboard>
#include <QComboBox>
#include <QCoreApplication>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QPainter>
#include <QSignalBlocker>
#include <QStackedLayout>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <numeric>
#include <qcustomplot.h>
#include <sstream>

#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "core/replay/captured_layers.h"
#include "views/plots/number_format.h"
#include "views/plots/view_choice.h"
#include "views/plots/view_list.h"

namespace qaq::views {
namespace {

constexpr Px<int> kHeaderHeight{30}, kRowHeight{24}, kPad{14};
constexpr int kMeasured = 200;  // rows that columns are fitted to
constexpr int kPollMs = 15;
const QString kFirstSource = QStringLiteral("bits");
constexpr QLatin1String kOf("of"), kSort("sort"), kDescending("descending");  // in viewState()

}  // namespace

TableView::TableView(SelectionModel* selection, QWidget* parent)
    : PlotView(selection, parent),
      m_header(new QWidget),
      m_title(new QLabel(tr("Table of"))),
      m_choice(new QComboBox),
      m_count(new QLabel),
      m_state(new QLabel),
      m_copy(new QToolButton),
      m_export(new QToolButton),
      m_view(new QTableView),
      m_model(new TableModel(this)),
      m_text(new QLabel),
      m_pages(new QStackedLayout),
      m_rowsJob(
          [this](const SharedTableRows& rows) {
            m_rows = rows;
            requestOrder();
          },
          [this](const QString& line) { setMessage(line); }),
      m_orderJob([this](const std::shared_ptr<const Order>& order) { present(order); },
                 [this](const QString& line) { setMessage(line); }),
      m_copyJob(
          [](const std::shared_ptr<const std::string>& text) {
            QGuiApplication::clipboard()->setText(QString::fromStdString(*text));
          },
          [this](const QString& line) { setMessage(line); }) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(1, 1, 1, 1);
  column->setSpacing(0);
  makeHeader();
  column->addWidget(m_header);
  column->addLayout(m_pages, 1);
  m_pages->addWidget(m_view);
  m_pages->addWidget(m_text);
  m_text->setAlignment(Qt::AlignCenter);
  m_text->setWordWrap(true);
  m_text->setMargin(16);
  m_text->setFont(Theme::font(Theme::kLabelPx));
  m_view->setModel(m_model);
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setFont(Theme::font(Theme::kLabelPx));
  m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
  m_view->setWordWrap(false);
  m_view->setShowGrid(false);
  m_view->setSortingEnabled(true);
  m_view->setAccessibleName(tr("Table"));
  // No sort until one is asked for: rows come in the order of their table.
  m_view->horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
  m_view->horizontalHeader()->setFont(Theme::font(Theme::kLabelPx));
  m_view->horizontalHeader()->setHighlightSections(false);
  m_view->verticalHeader()->hide();
  m_view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  m_view->verticalHeader()->setDefaultSectionSize(kRowHeight);
  m_view->installEventFilter(this);
  setFocusProxy(m_view);
  connect(m_view, &QTableView::clicked, this, [this](const QModelIndex& index) {
    clickRow(index, QGuiApplication::keyboardModifiers());
  });
  connect(m_view, &QTableView::activated, this,
          [this](const QModelIndex& index) { clickRow(index, Qt::NoModifier); });
  connect(m_model, &TableModel::sortWanted, this, &TableView::sortBy);
  connect(selection, &SelectionModel::lockChanged, this, [this] { showLock(!m_clicking); });
  connect(selection, &SelectionModel::filterChanged, this, &TableView::requestOrder);
  m_waiting.setInterval(kPollMs);
  connect(&m_waiting, &QTimer::timeout, this, &TableView::lookAtSource);
  setSource(kFirstSource);
  setTheme(m_theme);
}

TableView::~TableView() = default;

QStringList TableView::sourceIds() {
  QStringList ids = viewIds();
  ids.removeAll(QStringLiteral("table"));
  return ids;
}

QString TableView::sourceId() const { return m_source->id(); }

void TableView::makeHeader() {
  m_header->setFixedHeight(kHeaderHeight);
  auto* row = new QHBoxLayout(m_header);
  row->setContentsMargins(12, 0, 8, 0);
  row->setSpacing(8);
  m_title->setFont(Theme::font(Theme::kTitlePx, true));
  for (QLabel* label : {m_count, m_state}) label->setFont(Theme::font(Theme::kLabelPx));
  for (const QString& source : sourceIds()) {
    m_choice->addItem(QCoreApplication::translate("TableView", source.toUtf8()), source);
  }
  m_choice->setAccessibleName(tr("View whose rows are shown"));
  m_copy->setText(tr("Copy"));
  m_copy->setToolTip(tr("Copy the selected rows with full precision (Ctrl+C)"));
  m_export->setText(tr("CSV…"));
  m_export->setToolTip(tr("Write rows to a file"));
  m_export->setPopupMode(QToolButton::InstantPopup);
  auto* menu = new QMenu(m_export);
  menu->addAction(tr("Rows shown"), this, [this] { emit exportWanted(true); });
  menu->addAction(tr("All rows"), this, [this] { emit exportWanted(false); });
  m_export->setMenu(menu);
  row->addWidget(m_title);
  row->addWidget(m_choice);
  row->addWidget(m_count);
  row->addStretch(1);
  row->addWidget(m_state);
  row->addWidget(m_copy);
  row->addWidget(m_export);
  for (QWidget* widget : std::initializer_list<QWidget*>{m_choice, m_copy, m_export}) {
    widget->setMaximumHeight(25);
  }
  connect(m_choice, &QComboBox::activated, this,
          [this](int index) { setSource(m_choice->itemData(index).toString()); });
  connect(m_copy, &QToolButton::clicked, this, &TableView::copySelected);
}

void TableView::setSource(const QString& id) {
  if (m_source && m_source->id() == id) return;
  if (!sourceIds().contains(id)) {
    refuse_usage({.place = "--of",
                  .what = "there is no view '" + id.toStdString() + "' with rows",
                  .cure = "choose one of " + sourceIds().join(QStringLiteral(", ")).toStdString()});
  }
  m_source = makeView(id, selection());
  const QSignalBlocker block(m_choice);
  m_choice->setCurrentIndex(m_choice->findData(id));
  // Columns of another view: no order is left.
  m_sortColumn = -1;
  m_view->horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
  if (m_slice) show(m_slice);
}

QJsonObject TableView::viewState() const {
  QJsonObject state;
  if (sourceId() != kFirstSource) state[kOf] = sourceId();
  if (m_sortColumn >= 0) {
    state[kSort] = m_sortColumn;
    state[kDescending] = m_descending;
  }
  return state;
}

void TableView::setViewState(const QJsonObject& state) {
  const QString source = state.value(kOf).toString();
  setSource(sourceIds().contains(source) ? source : kFirstSource);
  const int column = state.value(kSort).toInt(-1);
  if (column == m_sortColumn) return;
  const bool descending = state.value(kDescending).toBool();
  m_view->horizontalHeader()->setSortIndicator(
      column, descending ? Qt::DescendingOrder : Qt::AscendingOrder);
  sortBy(column, descending);
}

void TableView::show(const SharedSlice& slice) {
  m_slice = slice;
  m_source->show(slice);
  m_waiting.start();
  lookAtSource();
}

void TableView::lookAtSource() {
  if (!m_source->isReady() || !m_slice) return;
  m_waiting.stop();
  m_table = m_source->error().isEmpty() ? m_source->table() : std::nullopt;
  if (!m_table) {
    const QString why = m_source->error();
    setMessage(why.isEmpty() ? tr("“%1” has no rows to show.").arg(m_source->title()) : why);
    return;
  }
  m_message.clear();
  m_rowsJob.request([table = *m_table](const Work& work) { return TableRows::of(table, work); });
}

bool TableView::isReady() const {
  return !m_waiting.isActive() && m_rowsJob.isReady() && m_orderJob.isReady();
}

int TableView::groupSize() const {
  return m_slice ? static_cast<int>(m_slice->analysis->capture->info().shape.group_size()) : 1;
}

void TableView::sortBy(int column, bool descending) {
  m_sortColumn = column;
  m_descending = descending;
  requestOrder();
}

void TableView::requestOrder() {
  if (!m_rows) return;
  const SelectionSet* filter = selection()->filter();
  m_orderJob.request([rows = m_rows, column = m_sortColumn, descending = m_descending,
                      filter = filter ? std::optional(*filter) : std::nullopt,
                      layers = selection()->layerNumbers(), group = groupSize()](const Work& work) {
    auto out = std::make_shared<Order>();
    out->rows = rows;
    if (filter) {
      const RowPlaces places(rows, group);
      for (std::int64_t row = 0; row < rows->n_rows(); ++row) {
        if (row % 4096 == 0) work.throw_if_stopped();
        if (places.passes(row, *filter, layers)) {
          out->order.push_back(static_cast<std::int32_t>(row));
        }
      }
    } else {
      out->order.resize(static_cast<std::size_t>(rows->n_rows()));
      std::iota(out->order.begin(), out->order.end(), 0);
    }
    if (column >= 0 && static_cast<std::size_t>(column) < rows->columns().size()) {
      rows->sort(out->order, static_cast<std::size_t>(column), descending, work);
    }
    return std::shared_ptr<const Order>(out);
  });
}

void TableView::present(const std::shared_ptr<const Order>& order) {
  const bool other = m_model->rows() != order->rows;
  const int top = m_view->rowAt(0);
  m_model->setRows(order->rows, order->order, groupSize());
  m_pages->setCurrentIndex(0);
  const QLocale locale;
  const auto shown = static_cast<std::int64_t>(order->order.size());
  m_count->setText(shown == order->rows->n_rows()
                       ? counted(shown, tr("1 row"), tr("%1 rows"))
                       : tr("%1 of %2 rows")
                             .arg(locale.toString(static_cast<qlonglong>(shown)),
                                  locale.toString(static_cast<qlonglong>(order->rows->n_rows()))));
  if (other) fitColumns();
  if (top > 0) m_view->scrollTo(m_model->index(top, 0), QAbstractItemView::PositionAtTop);
  showLock(other || top < 0);
  setAccessibleDescription(summary());
}

void TableView::fitColumns() {
  const QFontMetrics metrics(m_view->font());
  for (int column = 0; column < m_model->columnCount(); ++column) {
    // Room for the mark of the sorted column.
    int width = metrics.horizontalAdvance(m_model->headerText(column)) + 18;
    for (int row = 0; row < std::min(kMeasured, m_model->rowCount()); ++row) {
      width = std::max(width, metrics.horizontalAdvance(m_model->text(row, column)));
    }
    m_view->setColumnWidth(column, width + 2 * kPad);
  }
}

std::optional<RowPlace> TableView::lockPlace() const {
  const auto& lock = selection()->locked();
  const auto& layers = selection()->layerNumbers();
  if (!lock || lock->layer >= static_cast<int>(layers.size())) return std::nullopt;
  RowPlace place{.cache = lock->side == CacheSide::key ? 0 : 1,
                 .layer = layers[static_cast<std::size_t>(lock->layer)],
                 .kv_head = lock->kvHead,
                 .token = lock->token};
  if (lock->step != Cursor::kNone) place.step = lock->step;
  if (lock->channel != Cursor::kNone) place.channel = lock->channel;
  return place;
}

void TableView::showLock(bool scrolls) {
  m_model->setLock(lockPlace());
  if (!scrolls) return;
  const auto row = m_model->lockedRow();
  if (row) m_view->scrollTo(m_model->index(*row, 0), QAbstractItemView::PositionAtCenter);
}

void TableView::clickRow(const QModelIndex& index, Qt::KeyboardModifiers modifiers) {
  const RowPlace place = m_model->placeOf(index.row());
  const Slice& slice = selection()->slice();
  Cursor cursor = selection()->locked().value_or(
      Cursor{.side = slice.side, .layer = slice.layer, .kvHead = slice.kvHead});
  const auto known = [](std::int32_t number) { return number != TableRows::kNothing; };
  if (known(place.cache)) cursor.side = place.cache == 0 ? CacheSide::key : CacheSide::value;
  if (known(place.layer)) {
    const auto at = captured_index(selection()->layerNumbers(), place.layer);
    if (!at) return;
    cursor.layer = *at;
  }
  if (known(place.kv_head)) cursor.kvHead = place.kv_head;
  if (known(place.token)) cursor.token = place.token;
  cursor.step = known(place.step) ? place.step : Cursor::kNone;
  cursor.channel = known(place.channel) ? place.channel : Cursor::kNone;
  m_clicking = true;
  if (known(place.token)) {
    selection()->click(cursor, modifiers);
  } else if (known(place.layer) || known(place.step)) {
    selection()->lock(cursor);
  }
  m_clicking = false;
}

void TableView::copySelected() {
  if (!m_model->rows()) return;
  std::vector<std::int32_t> chosen;
  const QModelIndexList rows = m_view->selectionModel()->selectedRows();
  for (const QModelIndex& index : rows) chosen.push_back(index.row());
  std::ranges::sort(chosen);
  for (std::int32_t& row : chosen) row = m_model->order()[static_cast<std::size_t>(row)];
  if (chosen.empty()) return;
  m_copyJob.request([all = m_model->rows(), chosen = std::move(chosen)](const Work& work) {
    std::ostringstream out;
    write_tsv(table_of_rows(all, chosen), out, work);
    return std::make_shared<const std::string>(std::move(out).str());
  });
}

std::optional<Table> TableView::table() const {
  if (!m_model->rows()) return std::nullopt;
  std::vector<std::int32_t> all(static_cast<std::size_t>(m_model->rows()->n_rows()));
  std::iota(all.begin(), all.end(), 0);
  return table_of_rows(m_model->rows(), std::move(all));
}

std::optional<Table> TableView::shownTable() const {
  if (!m_model->rows()) return std::nullopt;
  return table_of_rows(m_model->rows(), m_model->order());
}

void TableView::setMessage(const QString& text) {
  m_message = text;
  m_text->setText(text);
  m_pages->setCurrentIndex(1);
  m_count->setText({});
}

void TableView::setTheme(const Theme& theme) {
  m_theme = theme;
  m_source->setTheme(theme);
  m_model->setTheme(theme);
  const auto ink = [](const QColor& color) {
    return QStringLiteral("color: %1").arg(color.name());
  };
  for (QLabel* label : {m_count, m_state, m_text}) label->setStyleSheet(ink(theme.muted));
  m_title->setStyleSheet(ink(theme.text));
  m_view->setStyleSheet(
      QStringLiteral("QTableView { background: %1; color: %2; selection-background-color: %3; "
                     "selection-color: %2; } QTableView::item { padding: 0 %4px; border: 0; "
                     "border-bottom: 1px solid %5; } QHeaderView { background: %6; } "
                     "QHeaderView::section { background: %6; color: %2; border: 0; "
                     "border-bottom: 1px solid %7; padding: 4px %4px; }")
          .arg(theme.surface.name(), theme.text.name(), theme.accentSoft.name())
          .arg(kPad)
          .arg(theme.grid.name(), theme.raised.name(), theme.border.name()));
  update();
}

void TableView::setUpdating(bool updating) {
  m_state->setText(updating ? tr("updating") : QString());
}

QString TableView::heading() const { return tr("Table of %1").arg(m_source->id()); }

QString TableView::summary() const {
  if (!m_message.isEmpty()) return m_message;
  QStringList names;
  for (int column = 0; column < m_model->columnCount(); ++column) {
    names += m_model->headerText(column);
  }
  return tr("%1: %2; columns %3.")
      .arg(heading(), m_count->text(), names.join(QStringLiteral(", ")));
}

QSize TableView::figureSize() const {
  int width = 0;
  for (int column = 0; column < m_model->columnCount(); ++column) {
    width += m_view->columnWidth(column);
  }
  constexpr int kRows = 20;
  const int rows = std::min(kRows, m_model->rowCount());
  const bool more = m_model->rowCount() > rows;
  return {std::max(width + 2, 320), kHeaderHeight + (rows + 1 + (more ? 1 : 0)) * kRowHeight + 6};
}

void TableView::paintFigure(QCPPainter* painter, const QSize& size) {
  painter->setAntialiasing(false);
  painter->fillRect(QRect(QPoint(0, 0), size), m_theme.surface);
  painter->setFont(Theme::font(Theme::kTitlePx, true));
  painter->setPen(m_theme.text);
  const QRectF head(kPad, 0, size.width() - 2 * kPad, kHeaderHeight);
  QRectF used;
  painter->drawText(head, Qt::AlignLeft | Qt::AlignVCenter, heading(), &used);
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->setPen(m_theme.muted);
  painter->drawText(head.adjusted(used.width() + 10, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                    m_count->text());
  painter->fillRect(QRectF(0, kHeaderHeight, size.width(), kRowHeight), m_theme.raised);
  int fitting = (size.height() - kHeaderHeight - kRowHeight) / kRowHeight;
  const bool more = m_model->rowCount() > fitting;
  if (more) --fitting;  // for the line that says so
  const int rows = std::min(fitting, m_model->rowCount());
  double x = 0;
  for (int column = 0; column < m_model->columnCount(); ++column) {
    const double width = m_view->columnWidth(column);
    const auto side =
        Qt::AlignVCenter | (m_model->isNumber(column) ? Qt::AlignRight : Qt::AlignLeft);
    const auto cell = [&](int line, const QString& text, const QColor& ink) {
      painter->setPen(ink);
      painter->drawText(
          QRectF(x + kPad, kHeaderHeight + line * kRowHeight, width - 2 * kPad, kRowHeight),
          static_cast<int>(side), text);
    };
    cell(0, m_model->headerText(column), m_theme.text);
    for (int row = 0; row < rows; ++row) {
      const QModelIndex index = m_model->index(row, column);
      const QVariant back = m_model->data(index, Qt::BackgroundRole);
      if (back.isValid()) {
        painter->fillRect(QRectF(x, kHeaderHeight + (row + 1) * kRowHeight, width, kRowHeight),
                          back.value<QBrush>());
      }
      cell(row + 1, m_model->text(row, column),
           m_model->data(index, Qt::ForegroundRole).value<QBrush>().color());
    }
    x += width;
  }
  painter->setPen(QPen(m_theme.grid, px(1)));
  for (int row = 1; row <= rows + 1; ++row) {
    const double y = kHeaderHeight + row * kRowHeight;
    painter->drawLine(QLineF(0, y, size.width(), y));
  }
  if (!more) return;
  painter->setPen(m_theme.muted);
  const auto left = static_cast<std::int64_t>(m_model->rowCount() - rows);
  painter->drawText(
      QRectF(kPad, kHeaderHeight + (rows + 1) * kRowHeight, size.width() - 2 * kPad, kRowHeight),
      Qt::AlignLeft | Qt::AlignVCenter,
      counted(left, tr("… and 1 row more"), tr("… and %1 rows more")));
}

bool TableView::eventFilter(QObject* watched, QEvent* event) {
  // Before the table's own, which copies one cell as it is shown.
  if (event->type() == QEvent::KeyPress &&
      static_cast<QKeyEvent*>(event)->matches(QKeySequence::Copy)) {
    copySelected();
    return true;
  }
  return PlotView::eventFilter(watched, event);
}

void TableView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), m_theme.surface);
  painter.setPen(m_theme.border);
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

}  // namespace qaq::views
