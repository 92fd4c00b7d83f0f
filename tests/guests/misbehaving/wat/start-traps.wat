;; Traps in its start function.
(component
  (core module $guest
    (func $start unreachable)
    (start $start)
    (func (export "misbehave")))
  (core instance $instance (instantiate $guest))
  (func (export "misbehave") (canon lift (core func $instance "misbehave"))))
