#pragma once

#include <QTextDocument>

#include "core/analysis/cell_fate.h"
#include "core/replay/bit_formula.h"
#include "views/models/derived.h"
#include "views/plots/painted_view.h"

namespace qaq::views {

/// V11: how the cell under the pointer, else the locked one, came to its bits: the formula in use
/// with symbols and with the cell's numbers. Of a policy that has no formula: what it is, and what
/// became of the cell.
class FormulaView : public PaintedView {
  Q_OBJECT

 public:
  explicit FormulaView(SelectionModel* selection, QWidget* parent = nullptr);
  ~FormulaView() override;

  QString id() const override { return QStringLiteral("formula"); }
  QString title() const override { return tr("Formula"); }
  void show(const SharedSlice& slice) override;
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  bool isReady() const override { return m_explained.isReady(); }
  QSize figureSize() const override;
  std::optional<Table> table() const override;
  QString summary() const override;

  /// What is shown; null where there is no cell, or no formula.
  const std::shared_ptr<const CellExplanation>& explanation() const { return m_shown; }
  /// The shown text without its layout.
  QString plainText() const { return m_text.toPlainText(); }
  /// The symbol at a place of the view; empty: none.
  QString symbolAt(const QPoint& position) const;

 signals:
  /// The pointer is on a symbol that `name` shows or sets: a view's id or a parameter as in --set;
  /// empty: on none.
  void symbolHovered(const QString& name);

 protected:
  void paint(QPainter* painter, const QSize& size) override;
  bool event(QEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  struct Source;
  void request();
  void showPolicy();
  void take(const std::shared_ptr<const CellExplanation>& explanation);
  void hover(const QString& symbol);
  void setText();
  const FormulaTerm* termOf(const QString& symbol) const;

  SharedSlice m_slice;
  std::shared_ptr<Source> m_source;  ///< of the setting last asked about; the worker's
  std::shared_ptr<const CellExplanation> m_shown;
  std::vector<FormulaLine> m_lines;
  bool m_isOfPolicy = false;  ///< m_text is of a policy without formula
  std::optional<CellFate> m_fate;
  QString m_place;
  QString m_symbol;  ///< under the pointer
  QTextDocument m_text;
  Derived<CellExplanation> m_explained;
};

}  // namespace qaq::views
