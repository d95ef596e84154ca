#pragma once

#include <QWidget>

#include "core/base/parameters.h"

class QCheckBox;
class QComboBox;
class QLineEdit;
class QSlider;
class QSpinBox;

namespace qaq::views {

/// The editor of one parameter, made from its description alone: a check box, a list, a spin box or
/// a number, and a slider where the parameter names a range for one.
class ParameterField : public QWidget {
  Q_OBJECT

 public:
  explicit ParameterField(const Parameter& parameter, QWidget* parent = nullptr);

  const Parameter& parameter() const { return m_parameter; }
  /// Shows a value without sending edited().
  void setValue(const ParameterValue& value);
  QSlider* slider() const { return m_slider; }

 signals:
  /// A value inside the parameter's range. `final` is false while a slider is dragged.
  void edited(const qaq::ParameterValue& value, bool final);

 private:
  QWidget* makeEditor();
  void addSlider();
  void offer(const ParameterValue& value, bool final);
  void showValue();

  Parameter m_parameter;
  QCheckBox* m_check = nullptr;
  QComboBox* m_choice = nullptr;
  QSpinBox* m_spin = nullptr;
  QLineEdit* m_number = nullptr;
  QSlider* m_slider = nullptr;
};

}  // namespace qaq::views
