;; Spins without end in its start function.
(component
  (core module $guest
    (func $start (loop $again br $again))
    (start $start)
    (func (export "misbehave")))
  (core instance $instance (instantiate $guest))
  (func (export "misbehave") (canon lift (core func $instance "misbehave"))))
