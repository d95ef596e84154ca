#pragma once

#include <array>

#include "views/models/derived.h"
#include "views/models/error_data.h"
#include "views/plots/error_lines.h"
#include "views/plots/error_pane.h"
#include "views/plots/map_view.h"

class QToolButton;

namespace qaq::views {

/// V5: what quantization changed, by layer as lines and by layer and token as a map, each layer
/// quantized alone. A switch says which error the map shows.
class ErrorView : public MapView {
  Q_OBJECT

 public:
  explicit ErrorView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("errors"); }
  QString title() const override { return tr("Errors"); }
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setUpdating(bool updating) override;
  void setCompact(bool compact) override;
  bool isReady() const override { return m_made.isReady(); }
  QString error() const override { return m_message; }
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;
  QSize figureSize() const override;
  void paintFigure(QCPPainter* painter, const QSize& size) override;
  std::optional<Table> table() const override;
  QString summary() const override;

  /// Which error the map shows; that of values where there is no such.
  void setShown(ErrorOf which);
  ErrorLines* lines() const { return m_lines; }
  ErrorPane* map() const { return m_map; }
  QToolButton* button(ErrorOf which) const { return m_buttons[static_cast<std::size_t>(which)]; }

 protected:
  void present(const SharedSlice& slice) override;
  std::optional<Cursor> cursorOf(const MapPane* pane, int row, int column,
                                 const QPointF* click) const override;
  MarkedCell markOf(const MapPane* pane, const Cursor& cursor) const override;

 private:
  void take(const SharedErrors& errors);
  void showMap();
  void markLayers();
  ErrorOf drawn() const;
  /// The index of a layer of the model among the captured ones.
  std::optional<int> indexOf(std::int64_t layer) const;

  ErrorLines* m_lines;
  ErrorPane* m_map;
  std::array<QToolButton*, kAllErrors.size()> m_buttons{};
  SharedAnalysis m_requested;
  SharedErrors m_errors;  ///< what is shown
  ErrorOf m_shown = ErrorOf::value;
  QString m_message;
  Derived<ErrorData> m_made;  // last: it uses all of the above
};

}  // namespace qaq::views
