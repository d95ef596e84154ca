#pragma once

#include <QActionGroup>
#include <QToolButton>

#include "core/analysis/heatmap.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// "min ▾" in the header of a map: how cells that share a pixel become one, and, where the map's
/// colours are a scale of values, which scale.
class ReducerButton : public QToolButton {
  Q_OBJECT

 public:
  explicit ReducerButton(QWidget* parent);

  void setReducer(Reducer reducer);
  void setValueColors(ValueColors colors);
  /// Whether the map is of differences, so that it has both signs.
  void setFarthestOffered(bool offered);
  /// Whether the map has a scale of values to choose.
  void setValueColorsOffered(bool offered);
  void setTheme(const Theme& theme);

 signals:
  void reducerChosen(Reducer reducer);
  void valueColorsChosen(ValueColors colors);

 private:
  QActionGroup* m_reducers;
  QActionGroup* m_colors;
  QAction* m_colorsTitle;
};

}  // namespace qaq::views
