"""What a trained model is for: labels, entities and answers for texts, words for masks, a web page, and ONNX."""
