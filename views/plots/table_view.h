#pragma once

#include <QTimer>
#include <memory>

#include "views/models/derived.h"
#include "views/plots/plot_view.h"
#include "views/plots/table_model.h"

class QComboBox;
class QLabel;
class QMenu;
class QStackedLayout;
class QTableView;
class QToolButton;

namespace qaq::views {

/// V10: what another view shows, as rows. The view whose rows these are is made here, unseen, so
/// that every view has its table, on the screen or not. Rows are made, filtered and sorted on
/// workers; the last table stays until the next is whole.
class TableView : public PlotView {
  Q_OBJECT

 public:
  explicit TableView(SelectionModel* selection, QWidget* parent = nullptr);
  ~TableView() override;

  QString id() const override { return QStringLiteral("table"); }
  QString title() const override { return tr("Table"); }
  void show(const SharedSlice& slice) override;
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setUpdating(bool updating) override;
  bool isReady() const override;
  QString error() const override { return m_message; }
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;
  QSize figureSize() const override;
  void paintFigure(QCPPainter* painter, const QSize& size) override;
  QString summary() const override;
  /// All rows of the source, whatever the filter.
  std::optional<Table> table() const override;

  /// The view whose rows are shown; an id of viewIds() but "table". Throws Error{usage} otherwise.
  void setSource(const QString& id);
  QString sourceId() const;
  static QStringList sourceIds();
  /// The rows as they are shown: filtered, in their order.
  std::optional<Table> shownTable() const;
  void sortBy(int column, bool descending);
  /// The selected rows, all columns, as text with tabs, with full precision: to the clipboard.
  void copySelected();
  TableModel* model() const { return m_model; }
  QTableView* view() const { return m_view; }

 signals:
  /// The user wants a file of the rows shown, or of all: whoever owns files writes it.
  void exportWanted(bool shownAlone);

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Order {
    SharedTableRows rows;
    std::vector<std::int32_t> order;
  };
  void makeHeader();
  void lookAtSource();
  void requestOrder();
  void present(const std::shared_ptr<const Order>& order);
  void showLock(bool scrolls);
  void clickRow(const QModelIndex& index, Qt::KeyboardModifiers modifiers);
  std::optional<RowPlace> lockPlace() const;
  void fitColumns();
  QString heading() const;
  int groupSize() const;

  std::unique_ptr<PlotView> m_source;
  QWidget* m_header;
  QLabel* m_title;
  QComboBox* m_choice;
  QLabel* m_count;
  QLabel* m_state;
  QToolButton* m_copy;
  QToolButton* m_export;
  QTableView* m_view;
  TableModel* m_model;
  QLabel* m_text;
  QStackedLayout* m_pages;

  SharedSlice m_slice;
  SharedTableRows m_rows;  ///< newest
  std::optional<Table> m_table;
  QString m_message;
  Theme m_theme = Theme::of(ThemeKind::light);
  int m_sortColumn = -1;
  bool m_descending = false;
  bool m_clicking = false;       ///< the lock moves because a row was clicked
  QTimer m_waiting;              ///< for the source
  Derived<TableRows> m_rowsJob;  // last: their workers are joined first
  Derived<Order> m_orderJob;
  Derived<std::string> m_copyJob;
};

}  // namespace qaq::views
