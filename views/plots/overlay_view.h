#pragma once

#include <QPointer>

#include "views/models/derived.h"
#include "views/plots/chart_view.h"
#include "views/plots/choice_switch.h"
#include "views/plots/line_labels.h"

namespace qaq::views {

/// What is drawn of A and B: lines (see ComparedLines), or how the numbers of the slice's cache
/// lie.
enum class OverlayOf { output, attention, key, value, numbers };

/// A and B over each other, in the colours, signs and strokes of their letters: errors as lines
/// over steps or layers, numbers of a head as outlines.
class OverlayView : public ChartView {
  Q_OBJECT

 public:
  explicit OverlayView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("overlay"); }
  QString title() const override { return tr("A over B"); }
  bool isOfBoth() const override { return true; }
  bool isReady() const override { return m_made.isReady(); }
  void show(const SharedSlice& slice) override;
  void setMessage(const QString& text) override;
  std::optional<Table> table() const override;
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;

  void setTheme(const Theme& theme) override;

  void setOf(OverlayOf of);
  OverlayOf of() const { return m_of; }

 private:
  void draw();
  void label();
  bool hasChanged(const SharedSlice& slice) const;

  ChoiceSwitch* m_switch;
  OverlayOf m_of = OverlayOf::output;
  QPointer<LineLabels> m_labels;  ///< the plot's
  SharedSlice m_slice;            ///< the last whole one
  Derived<Chart> m_made;          // last: it uses all of the above
};

}  // namespace qaq::views

namespace qaq {

template <>
struct ChoiceNames<views::OverlayOf> {
  static constexpr std::array<std::string_view, 5> names{"output", "attention", "key", "value",
                                                         "numbers"};
};

}  // namespace qaq
