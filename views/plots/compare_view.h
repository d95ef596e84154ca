#pragma once

#include "views/models/compared_maps.h"
#include "views/models/derived.h"
#include "views/plots/choice_switch.h"
#include "views/plots/compare_pane.h"
#include "views/plots/map_view.h"

class QLabel;

namespace qaq::views {

/// How A and B stand to each other on the screen.
enum class CompareMode {
  beside,  ///< A, B and B - A side by side
  swipe    ///< one map: A left, B right of a divider
};

/// What a view of both says where there is no A.
QString needsReference();

/// A, B and B - A of one map side by side, with one zoom and one range of A and B, or A and B as
/// one map with a divider. A switch says of what: bits of the slice's cache, or magnitude or
/// attention of its head.
class CompareView : public MapView {
  Q_OBJECT

 public:
  explicit CompareView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("compare"); }
  QString title() const override { return tr("A and B"); }
  bool isOfBoth() const override { return true; }
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setCompact(bool compact) override;
  bool isReady() const override { return m_made.isReady(); }
  QString error() const override { return m_message; }
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;
  std::optional<Table> table() const override;

  void setOf(CompareOf of);
  CompareOf of() const { return m_of; }
  void setMode(CompareMode mode);
  CompareMode mode() const { return m_mode; }
  /// Of the map's width, where A ends and B begins in swipe.
  void setDivider(double share);
  double divider() const;
  ComparePane* pane(ComparePane::Role role) const;
  /// What is said of both in the corner: left out, refused, or that all is alike.
  QString remark() const;

 protected:
  void present(const SharedSlice& slice) override;
  std::optional<Cursor> cursorOf(const MapPane* pane, int row, int column,
                                 const QPointF* click) const override;
  MarkedCell markOf(const MapPane* pane, const Cursor& cursor) const override;
  QList<MapPane*> shownPanes() const override;

 private:
  void request();
  void take(const SharedComparedMaps& maps);
  void linkPanes();

  ChoiceSwitch* m_switch;
  QLabel* m_remark;
  ChoiceSwitch* m_modes;
  CompareOf m_of = CompareOf::bits;
  CompareMode m_mode = CompareMode::beside;
  SharedSlice m_slice;        ///< newest
  SharedComparedMaps m_maps;  ///< what is shown
  QString m_message;
  bool m_linking = false;
  Derived<ComparedMaps> m_made;  // last: it uses all of the above
};

}  // namespace qaq::views

namespace qaq {

template <>
struct ChoiceNames<views::CompareMode> {
  static constexpr std::array<std::string_view, 2> names{"beside", "swipe"};
};

}  // namespace qaq
