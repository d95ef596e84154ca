#include "views/panels/inspector_panel.h"

#include <QFormLayout>
#include <QLabel>

#include "views/panels/cell_facts.h"

namespace qaq::views {

InspectorPanel::InspectorPanel(SelectionModel* selection, QWidget* parent)
    : QWidget(parent), m_selection(selection) {
  setAccessibleName(tr("Inspector"));
  setObjectName(QStringLiteral("inspectorPanel"));
  setAttribute(Qt::WA_StyledBackground);
  auto* form = new QFormLayout(this);
  form->setContentsMargins(12, 10, 12, 10);
  form->setVerticalSpacing(6);
  form->setHorizontalSpacing(14);
  for (const QString& name :
       {tr("Token"), tr("Cell"), tr("Bits K, V"), tr("Kept exact, K"), tr("Kept exact, V"),
        tr("Error K"), tr("Error V"), tr("|value|"), tr("Attention"), tr("Largest jump")}) {
    m_names.push_back(new QLabel(name));
    m_values.push_back(new QLabel);
    m_values.back()->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_values.back()->setWordWrap(true);
    form->addRow(m_names.back(), m_values.back());
  }
  connect(selection, &SelectionModel::hoverChanged, this, &InspectorPanel::refresh);
  connect(selection, &SelectionModel::lockChanged, this, &InspectorPanel::refresh);
  refresh();
}

void InspectorPanel::show(const SharedSlice& slice) {
  m_slice = slice;
  refresh();
}

void InspectorPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  for (QLabel* name : m_names)
    name->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
  refresh();
}

QList<QPair<QString, QString>> InspectorPanel::rows() const {
  QList<QPair<QString, QString>> out;
  for (int row = 0; row < m_names.size(); ++row) {
    out.push_back({m_names[row]->text(), m_values[row]->text()});
  }
  return out;
}

void InspectorPanel::setRow(int row, const QString& text, bool alarm) {
  m_values[row]->setText(text.isEmpty() ? QStringLiteral("–") : text);
  const QColor color = text.isEmpty() ? m_theme.faint : alarm ? m_theme.violation : m_theme.text;
  m_values[row]->setStyleSheet(QStringLiteral("color: %1").arg(color.name()));
}

void InspectorPanel::refresh() {
  const auto& cursor = m_selection->current();
  const CellFacts facts = m_slice && cursor ? CellFacts::of(*m_slice, *cursor) : CellFacts();
  int row = 0;
  setRow(row++, facts.token.isEmpty() ? tr("point at a cell, or click to lock it") : facts.token);
  setRow(row++, facts.cell);
  setRow(row++, facts.key.bits.isEmpty()
                    ? QString()
                    : facts.key.bits + QStringLiteral(", ") + facts.value.bits);
  setRow(row++, facts.key.outliers);
  setRow(row++, facts.value.outliers);
  setRow(row++, facts.key.error);
  setRow(row++, facts.value.error);
  setRow(row++, facts.magnitude);
  setRow(row++, facts.attention);
  setRow(row++, facts.violation, true);
}

}  // namespace qaq::views
