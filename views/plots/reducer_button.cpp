#include "views/plots/reducer_button.h"

#include <QMenu>

#include "views/plots/heatmap_plottable.h"

namespace qaq::views {
namespace {

QString explained(Reducer reducer) {
  switch (reducer) {
    case Reducer::max:
      return ReducerButton::tr("max: no large cell is lost");
    case Reducer::min:
      return ReducerButton::tr("min: no small cell is lost");
    case Reducer::mean:
      return ReducerButton::tr("mean: lone cells fade");
    case Reducer::farthest:
      return ReducerButton::tr("largest |B − A|, with its sign: no lone cell is lost");
  }
  return {};
}

}  // namespace

ReducerButton::ReducerButton(QWidget* parent)
    : QToolButton(parent), m_reducers(new QActionGroup(this)), m_colors(new QActionGroup(this)) {
  setObjectName(QStringLiteral("reducerButton"));
  setPopupMode(QToolButton::InstantPopup);
  setFocusPolicy(Qt::StrongFocus);
  setFont(Theme::font(Theme::kLabelPx));
  setToolTip(tr("What a pixel shows of the cells that share it"));
  auto* menu = new QMenu(this);
  menu->addSection(tr("Cells that share a pixel"));
  for (const Reducer reducer : {Reducer::farthest, Reducer::min, Reducer::max, Reducer::mean}) {
    QAction* action = menu->addAction(explained(reducer));
    action->setCheckable(true);
    action->setData(static_cast<int>(reducer));
    m_reducers->addAction(action);
    connect(action, &QAction::triggered, this, [this, reducer] { emit reducerChosen(reducer); });
  }
  m_colorsTitle = menu->addSection(tr("Colours of values"));
  for (const ValueColors choice : {ValueColors::viridis, ValueColors::cividis}) {
    QAction* action = menu->addAction(choice == ValueColors::viridis ? QStringLiteral("viridis")
                                                                     : QStringLiteral("cividis"));
    action->setCheckable(true);
    action->setData(static_cast<int>(choice));
    m_colors->addAction(action);
    connect(action, &QAction::triggered, this, [this, choice] { emit valueColorsChosen(choice); });
  }
  setMenu(menu);
  setFarthestOffered(false);
  setReducer(Reducer::max);
  setValueColors(ValueColors::viridis);
}

void ReducerButton::setReducer(Reducer reducer) {
  setText(reducerText(reducer) + QStringLiteral(" ▾"));
  setAccessibleName(tr("Cells that share a pixel: %1").arg(reducerText(reducer)));
  for (QAction* action : m_reducers->actions()) {
    action->setChecked(action->data().toInt() == static_cast<int>(reducer));
  }
  adjustSize();
}

void ReducerButton::setValueColors(ValueColors colors) {
  for (QAction* action : m_colors->actions()) {
    action->setChecked(action->data().toInt() == static_cast<int>(colors));
  }
}

void ReducerButton::setFarthestOffered(bool offered) {
  m_reducers->actions().first()->setVisible(offered);
}

void ReducerButton::setValueColorsOffered(bool offered) {
  m_colors->setVisible(offered);
  m_colorsTitle->setVisible(offered);
}

void ReducerButton::setTheme(const Theme& theme) {
  setStyleSheet(QStringLiteral("#reducerButton { background: transparent; color: %1; "
                               "border: 1px solid transparent; border-radius: 4px; "
                               "padding: 2px 6px; min-height: 16px; }"
                               "#reducerButton:hover, #reducerButton:focus { border-color: %2; }"
                               "#reducerButton::menu-indicator { image: none; width: 0; }")
                    .arg(theme.text.name(), theme.accent.name()));
  adjustSize();
}

}  // namespace qaq::views
