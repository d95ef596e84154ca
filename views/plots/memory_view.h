#pragma once

#include "core/analysis/memory_report.h"
#include "views/plots/choice_switch.h"
#include "views/plots/painted_view.h"

namespace qaq::views {

/// V9: the bytes of keys, of values and of both as a bar each, parts in a fixed order with bytes
/// and share written below; the other of the two byte counts as an outline.
class MemoryView : public PaintedView {
  Q_OBJECT

 public:
  explicit MemoryView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("memory"); }
  QString title() const override { return tr("Memory"); }
  void show(const SharedSlice& slice) override;
  QSize figureSize() const override;
  std::optional<Table> table() const override;
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;
  QString summary() const override;

  /// What the bars' parts are; the outline is the other.
  void setAccounting(Accounting accounting);
  Accounting accounting() const { return m_accounting; }
  /// Where a part of the bar of keys (0), values (1) or both (2) is painted in a picture of `size`.
  QRectF partBox(int bar, MemoryPart part, const QSize& size) const;

 protected:
  void paint(QPainter* painter, const QSize& size) override;

 private:
  struct Row;
  QList<Row> rows(const QSize& size) const;
  void paintRow(QPainter* painter, const Row& row) const;
  void paintScale(QPainter* painter, const QSize& size, double top) const;
  const CacheMemory& memory(int bar) const;
  double largest() const;

  std::optional<MemoryReport> m_report;
  QString m_place;  ///< "first 96 tokens of 30 layers"
  Accounting m_accounting = Accounting::packed;
  ChoiceSwitch* m_switch;
};

}  // namespace qaq::views
