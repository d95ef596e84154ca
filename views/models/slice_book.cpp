#include "views/models/slice_book.h"

#include <algorithm>

namespace qaq::views {

SliceBook::SliceBook(SelectionModel* selection, QObject* parent)
    : QObject(parent),
      m_selection(selection),
      m_traits(
          [this](const std::shared_ptr<const TokenTraits>& traits) {
            m_ofCapture = traits;
            makeAutomatic();
          },
          // What a broken file lacks is said where it was opened and replayed.
          [](const QString&) {}) {
  connect(selection, &SelectionModel::made, this,
          [this](const SelectionSet& cells) { keep(cells, {}); });
}

void SliceBook::show(const SharedAnalysis& analysis) {
  const bool other = !m_analysis || m_analysis->capture != analysis->capture;
  m_analysis = analysis;
  if (other) {
    m_slices.clear();
    m_ofCapture.reset();
    m_traits.request([capture = analysis->capture](const Work& work) {
      return std::make_shared<const TokenTraits>(token_traits(*capture, work));
    });
    emit changed();
    return;
  }
  if (m_ofCapture && followsFrom() != m_madeFrom) makeAutomatic();
}

SliceBook::Source SliceBook::followsFrom() const {
  return {.violations = m_analysis->violations,
          .ratio = m_analysis->violationParams.violation_ratio,
          .prefix = m_analysis->replay->prefix,
          .forced = std::max(m_analysis->forcedNewest(CacheSide::key),
                             m_analysis->forcedNewest(CacheSide::value))};
}

void SliceBook::makeAutomatic() {
  m_madeFrom = followsFrom();
  std::vector<NamedSlice> slices = auto_slices({.info = &m_analysis->capture->info(),
                                                .traits = m_ofCapture.get(),
                                                .violations = m_madeFrom.violations.get(),
                                                .violation_ratio = m_madeFrom.ratio,
                                                .prefix = m_madeFrom.prefix,
                                                .forced = m_madeFrom.forced});
  for (NamedSlice& own : userSlices()) slices.push_back(std::move(own));
  m_slices = std::move(slices);
  emit changed();
}

std::vector<NamedSlice> SliceBook::userSlices() const {
  std::vector<NamedSlice> own;
  std::ranges::copy_if(m_slices, std::back_inserter(own),
                       [](const NamedSlice& slice) { return !slice.automatic; });
  return own;
}

void SliceBook::setUserSlices(const std::vector<NamedSlice>& slices) {
  std::erase_if(m_slices, [](const NamedSlice& slice) { return !slice.automatic; });
  for (const NamedSlice& slice : slices) {
    if (slice.cells.shape() != m_selection->shape() || slice.automatic) continue;
    m_slices.push_back(slice);
  }
  emit changed();
}

QString SliceBook::freeName(const QString& name) const {
  const auto taken = [this](const QString& text) {
    return std::ranges::any_of(
        m_slices, [&](const NamedSlice& slice) { return slice.name == text.toStdString(); });
  };
  if (!name.isEmpty() && !taken(name)) return name;
  const QString stem = name.isEmpty() ? tr("selection") : name;
  for (int n = name.isEmpty() ? 1 : 2;; ++n) {
    const QString numbered = QStringLiteral("%1 %2").arg(stem).arg(n);
    if (!taken(numbered)) return numbered;
  }
}

void SliceBook::keepSelected(const QString& name) { keep(m_selection->selected(), name); }

void SliceBook::keep(const SelectionSet& cells, const QString& name) {
  if (cells.empty()) return;
  m_slices.push_back({.name = freeName(name.trimmed()).toStdString(), .cells = cells});
  emit changed();
}

bool SliceBook::isUsers(int index) const {
  return index >= 0 && index < static_cast<int>(m_slices.size()) &&
         !m_slices[static_cast<std::size_t>(index)].automatic;
}

void SliceBook::rename(int index, const QString& name) {
  const QString wanted = name.trimmed();
  if (!isUsers(index) || wanted.isEmpty()) return;
  std::string& own = m_slices[static_cast<std::size_t>(index)].name;
  if (own == wanted.toStdString()) return;
  own = freeName(wanted).toStdString();
  emit changed();
}

void SliceBook::remove(int index) {
  if (!isUsers(index)) return;
  m_slices.erase(m_slices.begin() + index);
  emit changed();
}

void SliceBook::choose(int index) const {
  if (index < 0 || index >= static_cast<int>(m_slices.size())) return;
  m_selection->select(m_slices[static_cast<std::size_t>(index)].cells);
}

std::optional<int> SliceBook::chosen() const {
  for (std::size_t i = 0; i < m_slices.size(); ++i) {
    if (m_slices[i].cells == m_selection->selected()) return static_cast<int>(i);
  }
  return std::nullopt;
}

}  // namespace qaq::views
