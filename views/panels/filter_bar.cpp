#include "views/panels/filter_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

#include "views/panels/selection_bar.h"
#include "views/plots/number_format.h"

namespace qaq::views {

FilterBar::FilterBar(SelectionModel* selection, QWidget* parent)
    : QFrame(parent),
      m_selection(selection),
      m_text(new QLabel),
      m_back(new QToolButton),
      m_clear(new QToolButton) {
  setObjectName(QStringLiteral("filterBar"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 2, 8, 2);
  row->setSpacing(8);
  row->addWidget(m_text);
  row->addStretch(1);
  row->addWidget(m_back);
  row->addWidget(m_clear);
  m_text->setFont(Theme::font(Theme::kLabelPx));
  m_back->setText(tr("Back"));
  m_back->setToolTip(tr("Take the last limit away"));
  m_clear->setText(tr("Show all"));
  m_clear->setToolTip(tr("Take all limits away"));
  connect(m_back, &QToolButton::clicked, selection, &SelectionModel::popFilter);
  connect(m_clear, &QToolButton::clicked, selection, &SelectionModel::clearFilters);
  connect(selection, &SelectionModel::filterChanged, this, &FilterBar::refresh);
  refresh();
}

void FilterBar::refresh() {
  const auto& filters = m_selection->filters();
  setVisible(!filters.empty());
  if (filters.empty()) return;
  QString text = tr("Filter: %1 of %2 in text and table")
                     .arg(sizeText(filters.back()))
                     .arg(m_selection->shape().n_tokens);
  if (filters.size() > 1) text += tr(" · %1 filters, one inside the other").arg(filters.size());
  m_text->setText(text);
  m_back->setVisible(filters.size() > 1);
  setAccessibleName(text);
}

void FilterBar::setTheme(const Theme& theme) {
  setStyleSheet(QStringLiteral("#filterBar { background: %1; border: 1px solid %2; border-radius: "
                               "4px; } QLabel { color: %3; }")
                    .arg(theme.accentSoft.name(), theme.accent.name(), theme.text.name()));
}

QString FilterBar::text() const { return m_text->text(); }

}  // namespace qaq::views
